#pragma once

#include <chrono>

namespace romancy {

/// When a failed attempt is tried again. A constexpr value, built fluently: `exponential(100ms).max_attempts(5)`.
/// The delay before attempt n+1 is `min(initial_interval * backoff_coefficient^(n-1), max_interval)`, counted from the
/// end of attempt n. Each attempt is a transaction of its own; nothing is held during the delay.
class retry_policy {
public:
  using milliseconds = std::chrono::milliseconds;

  constexpr retry_policy() = default;
  constexpr retry_policy(milliseconds initial, double coefficient, int attempts)
      : initial_interval_{initial}, backoff_coefficient_{coefficient}, max_attempts_{attempts} {}

  /// All attempts, the first included; at least 1. Default 5.
  constexpr retry_policy max_attempts(int n) const {
    auto copy = *this;
    copy.max_attempts_ = n < 1 ? 1 : n;
    return copy;
  }
  /// No delay is longer than this. Default 60 s.
  constexpr retry_policy max_interval(milliseconds limit) const {
    auto copy = *this;
    copy.max_interval_ = limit;
    return copy;
  }
  /// How much longer each delay is than the one before. Default 2.
  constexpr retry_policy backoff_coefficient(double factor) const {
    auto copy = *this;
    copy.backoff_coefficient_ = factor;
    return copy;
  }

  constexpr int max_attempts() const { return max_attempts_; }
  constexpr milliseconds max_interval() const { return max_interval_; }
  constexpr milliseconds initial_interval() const { return initial_interval_; }
  constexpr double backoff_coefficient() const { return backoff_coefficient_; }

  /// The delay after the `failed`-th failed attempt, 1-based.
  constexpr milliseconds delay_after(int failed) const {
    double delay = static_cast<double>(initial_interval_.count());
    const double limit = static_cast<double>(max_interval_.count());
    for (int i = 1; i < failed && delay < limit; ++i) delay *= backoff_coefficient_;
    return milliseconds{static_cast<milliseconds::rep>(delay < limit ? delay : limit)};
  }

private:
  milliseconds initial_interval_{1000};
  milliseconds max_interval_{60'000};
  double backoff_coefficient_ = 2.0;
  int max_attempts_ = 5;
};

/// Delays that double: `first`, 2·`first`, 4·`first` … up to `max_interval`. 5 attempts unless told otherwise.
constexpr retry_policy exponential(std::chrono::milliseconds first) { return {first, 2.0, 5}; }
/// The same delay each time. 5 attempts unless told otherwise.
constexpr retry_policy fixed(std::chrono::milliseconds delay) { return retry_policy{delay, 1.0, 5}.max_interval(delay); }
/// One attempt.
constexpr retry_policy no_retry() { return {std::chrono::milliseconds{0}, 1.0, 1}; }

} // namespace romancy
