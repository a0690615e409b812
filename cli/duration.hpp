#pragma once

#include <chrono>
#include <string_view>

namespace romancy::cli {

/// Reads a duration as command lines have it: a whole number and `ms`, `s`, `m` (minutes) or `h`, such as `500ms`, `2s`,
/// `1m`, `24h`. Zero is one too. Any thread.
/// @throws std::invalid_argument with a sentence that quotes `text`, if it is not written like that or longer than
/// 876000h (100 years: what any clock can be moved by).
std::chrono::milliseconds parse_duration(std::string_view text);

} // namespace romancy::cli
