#pragma once

#include <chrono>
#include <string>

namespace romancy {

/// The recorded outcome of a step of an instance, as read.
struct history_entry {
  using time_point = std::chrono::sys_time<std::chrono::microseconds>;

  std::string activity_id; ///< "create_order:1"
  int position = 0;        ///< the workflow's n-th request, from 1; 0: not asked for by the workflow function
  std::string type;        ///< "ActivityCompleted", "ActivityFailed", "EventSent", …
  std::string data;        ///< the output as JSON text, or the message of the failure
  int attempts = 1;        ///< all of them, the first included
  std::string details;     ///< JSON text about the attempts: `duration_ms`, `errors` of failed ones; empty: none
  time_point created_at{}; ///< when it was recorded, UTC
  /// Since the outcome before it was recorded, or the instance was started: the step and all that it waited for.
  std::chrono::microseconds took{};
};

} // namespace romancy
