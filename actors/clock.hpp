#pragma once

#include <chrono>

#include "messages/time_point.hpp"

namespace romancy {

/// Where actors learn the time. Thread-safe.
class clock {
public:
  virtual ~clock() = default;
  virtual time_point now() const = 0;
};

class system_clock final : public clock {
public:
  time_point now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

} // namespace romancy
