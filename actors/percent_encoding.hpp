#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace romancy {

/// A header value of the HTTP binding 1.0, section 3.1.3.2: space, '"', '%' and all beyond printable ASCII as %XX of
/// their UTF-8 bytes.
std::string percent_encoded(std::string_view value);

/// Each %XX as the byte it stands for, once; nothing, if two hexadecimal digits do not follow a '%'.
std::optional<std::string> percent_decoded(std::string_view value);

} // namespace romancy
