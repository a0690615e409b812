#include "storage/page_token.hpp"

#include <algorithm>
#include <cstdint>

#include <romancy/error.hpp>

namespace romancy {

namespace {

/// RFC 4648, section 5: base64url, without padding.
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text += alphabet[bits >> (count - 6) & 63];
  }
  if (count > 0) text += alphabet[bits << (6 - count) & 63];
  return text;
}

[[noreturn]] void refuse() {
  throw query_error{"the page is none that was given out: use the next of the page before, or none for the first page"};
}

std::string decode(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) refuse();
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if ((count += 6) < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 255);
  }
  return bytes;
}

constexpr std::string_view version = "1";
bool is_of_a_time(char c) { return (c >= '0' && c <= '9') || c == '-' || c == ':' || c == '.' || c == ' '; }

} // namespace

std::string page_token::text() const {
  return encode(std::string{version} + (order == instance_order::newest_first ? 'n' : 'o') + started_at + '\n' +
                instance_id);
}

page_token page_token::parse(std::string_view text) {
  const auto bytes = decode(text);
  const auto end = bytes.find('\n');
  if (!bytes.starts_with(version) || end == std::string::npos || end < 3 || (bytes[1] != 'n' && bytes[1] != 'o'))
    refuse();
  page_token token{bytes[1] == 'n' ? instance_order::newest_first : instance_order::oldest_first,
                   bytes.substr(2, end - 2), bytes.substr(end + 1)};
  for (const char c : token.instance_id)
    if (static_cast<unsigned char>(c) < 0x20) refuse();
  if (!std::all_of(token.started_at.begin(), token.started_at.end(), is_of_a_time) || token.text() != text) refuse();
  return token;
}

} // namespace romancy
