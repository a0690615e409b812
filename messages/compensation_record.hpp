#pragma once

#include <cstdint>
#include <string>

namespace romancy {

/// A completed step that is undone when its workflow fails.
struct compensation_record {
  std::int64_t id = 0;       ///< grows in order of completion
  std::string activity_id;   ///< "create_order:1"
  std::string activity_name; ///< "create_order"
  std::string arguments;     ///< a JSON array: the inputs, then the output unless it is void
};

} // namespace romancy
