#pragma once

#include <cstdint>
#include <string>

namespace romancy::detail {

/// 128 bits as UUIDs are written.
inline std::string uuid_text(std::uint64_t high, std::uint64_t low) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    text += digits[((i < 16 ? high : low) >> (60 - 4 * (i % 16))) & 0xf];
  }
  return text;
}

/// Version 4 (RFC 9562, section 5.4), from 122 of these random bits.
inline std::string random_uuid(std::uint64_t high, std::uint64_t low) {
  return uuid_text((high & 0xffff'ffff'ffff'0fff) | 0x4000, (low >> 2) | 0x8000'0000'0000'0000);
}

} // namespace romancy::detail
