#pragma once

#include <atomic>
#include <stop_token>

#include <caf/actor_clock.hpp>

namespace romancy {

/// Why an attempt is asked to stop.
enum class stop_cause {
  none,
  timed_out,
  cancelled, ///< its instance is
  left,      ///< its instance goes on later, or elsewhere
};

/// What reaches an attempt while its code runs. Shared by the pool, which asks it to stop, and the executor's thread.
/// Thread-safe.
class attempt_control {
public:
  using instant = caf::actor_clock::time_point;

  explicit attempt_control(instant deadline = instant::max()) : deadline_{deadline} {}

  std::stop_token token() const noexcept { return source_.get_token(); }
  stop_cause cause() const noexcept { return cause_; }
  /// False if it was asked before: the first cause stays. Calls what user code has registered on the token.
  bool stop(stop_cause why) {
    auto none = stop_cause::none;
    if (!cause_.compare_exchange_strong(none, why)) return false;
    source_.request_stop();
    return true;
  }

  /// instant::max(): there is none, or it does not come nearer at present.
  instant deadline() const noexcept { return deadline_; }
  /// The executor's thread waits, through no fault of the user's code; returns the deadline that it had.
  instant pause() noexcept { return deadline_.exchange(instant::max()); }
  void resume(instant deadline) noexcept { deadline_ = deadline; }

private:
  std::stop_source source_;
  std::atomic<stop_cause> cause_{stop_cause::none};
  std::atomic<instant> deadline_;
};

} // namespace romancy
