#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace romancy {

/// Threads that run jobs which may block, made as they are needed. A job that does not end keeps its thread, not the
/// pool: the thread is left behind.
class handler_pool {
public:
  explicit handler_pool(int max_threads);
  /// stop(0)
  ~handler_pool();
  handler_pool(const handler_pool&) = delete;
  handler_pool& operator=(const handler_pool&) = delete;

  /// Runs `job`, or drops it when the pool has been stopped. Jobs begin in order, and must not throw. Any thread.
  void post(std::function<void()> job);

  /// Drops what has not begun, and waits for the rest. @returns how many jobs it has left behind
  int stop(std::chrono::milliseconds patience) noexcept;

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace romancy
