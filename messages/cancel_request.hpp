#pragma once

#include <string>

namespace romancy {

/// An instance that is to be stopped and undone.
struct cancel_request {
  std::string instance_id;
  std::string reason;
  std::string author{}; ///< who wants it; empty: not said
};

} // namespace romancy
