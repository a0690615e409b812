#include "cli/stop_signal.hpp"

#include <csignal>
#include <ctime>

namespace romancy::cli {

namespace {
sigset_t stopping() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}
} // namespace

stop_signal::stop_signal() {
  const auto set = stopping();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void stop_signal::wait() {
  const auto set = stopping();
  int signal = 0;
  while (sigwait(&set, &signal) != 0) {
  }
}

bool stop_signal::wait_for(std::chrono::milliseconds patience) {
  const auto set = stopping();
  const timespec time{patience.count() / 1000, (patience.count() % 1000) * 1'000'000};
  return sigtimedwait(&set, nullptr, &time) > 0;
}

} // namespace romancy::cli
