#pragma once

#include <string>
#include <string_view>

namespace romancy {

/// RFC 4648, section 4: with padding, without line breaks.
std::string to_base64(std::string_view bytes);
/// @pre `text` came from to_base64.
std::string from_base64(std::string_view text);

} // namespace romancy
