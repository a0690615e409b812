#pragma once

#include <chrono>

namespace romancy {

/// Given to app::start after the inputs, and after the id if there is one: so long after its start an instance that has
/// not ended is cancelled, with the reason "its deadline has passed". More than 0. Explicit: it never slips in as an
/// input.
struct time_limit {
  explicit time_limit(std::chrono::microseconds time) : value{time} {}
  std::chrono::microseconds value;
};

} // namespace romancy
