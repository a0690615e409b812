#pragma once

#include <optional>
#include <string_view>

namespace romancy {

/// Where an instance stands. Stored as text; the words never change.
enum class instance_status {
  running,      ///< its workflow function runs, or waits for a step
  compensating, ///< the function has failed, or is cancelled; completed steps are being undone, the last one first
  completed,    ///< final: has a result
  failed,       ///< final: failed and compensated; the reason says also what could not be compensated
  cancelled,    ///< final: stopped on request, and compensated
  parked,       ///< stopped for an operator, who resumes or cancels it: code and history disagree, or it cannot go on
};

constexpr std::string_view to_string(instance_status status) {
  switch (status) {
    case instance_status::running: return "running";
    case instance_status::compensating: return "compensating";
    case instance_status::completed: return "completed";
    case instance_status::failed: return "failed";
    case instance_status::cancelled: return "cancelled";
    case instance_status::parked: return "parked";
  }
  return "unknown";
}

constexpr std::optional<instance_status> to_instance_status(std::string_view text) {
  using enum instance_status;
  for (auto status : {running, compensating, completed, failed, cancelled, parked})
    if (to_string(status) == text) return status;
  return std::nullopt;
}

/// The instance has ended or waits for an operator: nothing more happens by itself.
constexpr bool is_settled(instance_status status) {
  return status != instance_status::running && status != instance_status::compensating;
}

} // namespace romancy
