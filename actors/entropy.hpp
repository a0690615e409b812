#pragma once

#include <cstdint>
#include <string>

#include "messages/time_point.hpp"

namespace romancy {

/// Where actors get random numbers. Thread-safe.
class entropy {
public:
  virtual ~entropy() = default;
  virtual std::uint64_t next() = 0;
};

/// From std::random_device, one generator a thread.
class system_entropy final : public entropy {
public:
  std::uint64_t next() override;
};

/// A version 7 UUID (RFC 9562, section 5.7): ids made later sort later, so an index over them grows at its end.
std::string new_uuid(entropy& source, time_point now);

} // namespace romancy
