#include "actors/entropy.hpp"

#include <random>

#include <romancy/detail/uuid.hpp>

namespace romancy {

std::uint64_t system_entropy::next() {
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
    return std::mt19937_64{seed};
  }();
  return generator();
}

std::string new_uuid(entropy& source, time_point now) {
  const auto since_epoch = now.time_since_epoch();
  const auto ms = static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(since_epoch).count());
  // The 12 bits after the version are the fraction of the millisecond (RFC 9562, section 6.2, method 3).
  const auto fraction = static_cast<std::uint64_t>(since_epoch.count() % 1000) * 4096 / 1000;
  const std::uint64_t high = (ms << 16) | 0x7000 | fraction;
  const std::uint64_t low = (source.next() >> 2) | 0x8000'0000'0000'0000;
  return detail::uuid_text(high, low);
}

} // namespace romancy
