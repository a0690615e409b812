#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace romancy::cli {

/// A unit of a quantity, and how many of the smallest unit it is.
struct unit {
  std::string_view name;
  std::uint64_t size;
};

/// How a kind of quantity is written on the command line.
struct quantity {
  std::string_view noun;     ///< "duration"
  std::string_view examples; ///< "500ms, 2s, 1m or 24h"
  std::initializer_list<unit> units;
  std::uint64_t limit; ///< the largest value, in the smallest unit
};

/// Reads `text`, a whole number followed by one of the units with nothing between, and returns it in the smallest unit.
/// Any thread.
/// @throws std::invalid_argument with a sentence that quotes `text` and gives the examples, if it is written in another
/// way (empty, signed, with a fraction, without a unit) or larger than the limit.
std::uint64_t parse_quantity(std::string_view text, const quantity& kind);

} // namespace romancy::cli
