#pragma once

#include <optional>
#include <string_view>

namespace romancy {

/// Cuts one code point off `text`. Nothing, if it does not begin with valid UTF-8 (RFC 3629). @pre !text.empty()
std::optional<char32_t> cut_code_point(std::string_view& text);

bool is_utf8(std::string_view text);

/// What CloudEvents 1.0 keeps out of strings: C0 and C1 controls, DEL and noncharacters.
constexpr bool is_control_or_noncharacter(char32_t point) {
  return point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0xfdd0 && point <= 0xfdef) ||
         (point & 0xfffeU) == 0xfffe;
}

} // namespace romancy
