#pragma once

#include <chrono>

namespace romancy::cli {

/// SIGINT and SIGTERM as something to wait for. Make it before any thread is: it blocks the signals for all of them.
class stop_signal {
public:
  stop_signal();
  /// Returns when one of them came.
  void wait();
  /// True when one came within `patience`.
  bool wait_for(std::chrono::milliseconds patience);
};

} // namespace romancy::cli
