#include "actors/percent_encoding.hpp"

#include <charconv>
#include <system_error>

namespace romancy {

std::string percent_encoded(std::string_view value) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '"' && c != '%') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += digits[byte >> 4];
      encoded += digits[byte & 0xf];
    }
  }
  return encoded;
}

std::optional<std::string> percent_decoded(std::string_view value) {
  std::string text;
  text.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '%') {
      text += value[i];
      continue;
    }
    unsigned byte = 0;
    const auto digits = value.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc{} || digits.size() < 2 || end != digits.data() + digits.size()) return std::nullopt;
    text += static_cast<char>(byte);
    i += 2;
  }
  return text;
}

} // namespace romancy
