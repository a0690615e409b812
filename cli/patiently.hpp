#pragma once

#include <chrono>
#include <exception>
#include <thread>

namespace romancy::cli {

/// Asks again for a while: the server may be starting anew, and processes that make the same table at once may meet.
template <class Ask> auto patiently(std::chrono::milliseconds patience, Ask ask) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) try {
      return ask();
    } catch (const std::exception&) {
      if (std::chrono::steady_clock::now() >= end) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
}

} // namespace romancy::cli
