#pragma once

#include <string>

#include <romancy/instance_status.hpp>

namespace romancy {

/// An instance that the code cannot go on with.
struct replay_mismatch {
  std::string instance_id;
  std::string workflow;
  instance_status status = instance_status::running;
  std::string why; ///< the reason for which it would be parked
};

} // namespace romancy
