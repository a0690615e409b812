#include "cli/byte_size.hpp"

#include <limits>

#include "cli/quantity.hpp"

namespace romancy::cli {

std::size_t parse_byte_size(std::string_view text) {
  return parse_quantity(text, {.noun = "size",
                               .examples = "512B, 64KiB, 1MiB or 2GiB",
                               .units = {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}},
                               .limit = std::numeric_limits<std::size_t>::max()});
}

} // namespace romancy::cli
