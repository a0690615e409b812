#pragma once

#include <chrono>
#include <string_view>

namespace romancy::cli {

/// To the microsecond, UTC.
using instant = std::chrono::sys_time<std::chrono::microseconds>;

/// Reads a point in time as command lines have it: `2026-11-28T18:50:32Z` (RFC 3339, with 'T' or a space, up to six
/// digits after the second, and `Z` or an offset such as `+01:00`), or how long before `now` it was: `90s`, `15m`, `2h`,
/// `30d`. Any thread.
/// @throws std::invalid_argument with a sentence that quotes `text`, if it is neither, or no day of the calendar
instant parse_instant(std::string_view text, instant now);

} // namespace romancy::cli
