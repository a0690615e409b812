#pragma once

#include <chrono>

namespace romancy {

/// UTC, to the microsecond: what the databases keep.
using time_point = std::chrono::sys_time<std::chrono::microseconds>;

} // namespace romancy
