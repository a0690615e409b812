#pragma once

#include <string>
#include <string_view>

namespace romancy {

/// RFC 4648, section 4: with padding, without line breaks.
std::string to_base64(std::string_view bytes);
/// @pre is_base64(text)
std::string from_base64(std::string_view text);
/// Whether `text` is base64 with padding and nothing else.
bool is_base64(std::string_view text);

} // namespace romancy
