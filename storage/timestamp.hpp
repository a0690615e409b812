#pragma once

#include <string>
#include <string_view>

#include "messages/time_point.hpp"

namespace romancy {

/// "2026-11-24 21:32:04.123456", UTC: sorts as text, and is what the three databases read and write.
std::string to_text(time_point time);

/// Reads it back, with or without the fraction (as CURRENT_TIMESTAMP writes it) and with 'T' for the space.
/// @throws storage_error if it is no such text.
time_point to_time_point(std::string_view text);

} // namespace romancy
