#include "cli/quantity.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>
#include <system_error>

namespace romancy::cli {

std::uint64_t parse_quantity(std::string_view text, const quantity& kind) {
  const auto refuse = [&](std::string_view problem) {
    throw std::invalid_argument{'"' + std::string{text} + "\" is " + std::string{problem} + ' ' + std::string{kind.noun} +
                                "; write a whole number and a unit, such as " + std::string{kind.examples}};
  };
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const auto name = std::string_view{rest, static_cast<std::size_t>(end - rest)};
  const auto* const found = std::ranges::find(kind.units, name, &unit::name);
  if (error == std::errc::invalid_argument || found == kind.units.end()) refuse("not a");
  if (error != std::errc{} || number > kind.limit / found->size) refuse("too large for a");
  return number * found->size;
}

} // namespace romancy::cli
