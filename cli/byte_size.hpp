#pragma once

#include <cstddef>
#include <string_view>

namespace romancy::cli {

/// Reads a size as command lines have it, in bytes: a whole number and `B`, `KiB`, `MiB` or `GiB`, such as `64KiB`,
/// `1MiB`. Zero is one too. Any thread.
/// @throws std::invalid_argument with a sentence that quotes `text`, if it is not written like that or does not fit into
/// std::size_t.
std::size_t parse_byte_size(std::string_view text);

} // namespace romancy::cli
