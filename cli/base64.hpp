#pragma once

#include <string>
#include <string_view>

namespace romancy::cli {

/// `bytes` in base64 with padding (RFC 4648, section 4). Any thread.
std::string encode_base64(std::string_view bytes);

/// Whether `text` is base64 with padding and nothing else. Any thread.
bool is_base64(std::string_view text);

} // namespace romancy::cli
