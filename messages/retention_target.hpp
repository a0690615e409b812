#pragma once

#include <array>
#include <string_view>

namespace romancy {

/// What is removed by age, in the order in which it is done.
enum class retention_target { delivered_events, dead_events, finished_instances, inbox };

inline constexpr std::array all_retention_targets{retention_target::delivered_events, retention_target::dead_events,
                                                  retention_target::finished_instances, retention_target::inbox};

constexpr std::string_view to_string(retention_target target) {
  switch (target) {
    case retention_target::delivered_events: return "delivered_events";
    case retention_target::dead_events: return "dead_events";
    case retention_target::finished_instances: return "finished_instances";
    case retention_target::inbox: return "inbox";
  }
  return "unknown";
}

} // namespace romancy
