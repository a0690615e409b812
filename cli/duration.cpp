#include "cli/duration.hpp"

#include "cli/quantity.hpp"

namespace romancy::cli {

std::chrono::milliseconds parse_duration(std::string_view text) {
  constexpr std::uint64_t hour = 3'600'000;
  const auto count = parse_quantity(text, {.noun = "duration",
                                           .examples = "500ms, 2s, 1m or 24h",
                                           .units = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", hour}},
                                           .limit = 876'000 * hour});
  return std::chrono::milliseconds{static_cast<std::chrono::milliseconds::rep>(count)};
}

} // namespace romancy::cli
