#pragma once

#include <string>

namespace romancy {

/// An instance that is to begin with a copy of another one's history.
struct fork_request {
  std::string source;    ///< the id of that one
  std::string from_step; ///< "charge_card:1": the first step of it that is not kept
  std::string new_id;
};

} // namespace romancy
