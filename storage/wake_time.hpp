#pragma once

#include <string>

namespace romancy::wake_time {

// Of workflow_instances.wake_at: now, whatever the clocks of others say; and not before something happens.
inline const std::string at_once = "1970-01-01 00:00:00.000000", never = "9999-12-31 00:00:00.000000";

} // namespace romancy::wake_time
