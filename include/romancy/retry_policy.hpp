#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>

namespace romancy {

namespace detail {

template <class E> bool is_a(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const E&) {
    return true;
  } catch (...) {
    return false;
  }
}
template <class... E> bool is_one_of(const std::exception_ptr& thrown) { return (is_a<E>(thrown) || ...); }

} // namespace detail

/// When a failed attempt is tried again. A constexpr value, built fluently:
///
///     romancy::exponential(100ms).max_attempts(10).jitter(0.2).max_duration(1min).non_retryable<card_declined>()
///
/// The delay before attempt n+1 is `min(initial_interval * backoff_coefficient^(n-1), max_interval)`, counted from the
/// end of attempt n, and made shorter by `jitter`. Each attempt is a transaction of its own; nothing is held during the
/// delay. An attempt may throw retry_after, which replaces one delay, or terminal_error, after which there is no further
/// attempt.
///
/// Numbers that make no sense do not compile in a constant expression; at run time they are thrown as
/// std::invalid_argument. No duration is longer than 100 years.
class retry_policy {
public:
  using milliseconds = std::chrono::milliseconds;

  constexpr retry_policy() = default;
  constexpr retry_policy(milliseconds initial, double coefficient, int attempts)
      : initial_interval_{checked(initial)}, backoff_coefficient_{checked_coefficient(coefficient)},
        max_attempts_{checked_attempts(attempts)} {}

  /// All attempts, the first included; at least 1. Default 5.
  constexpr retry_policy max_attempts(int n) const {
    auto copy = *this;
    copy.max_attempts_ = checked_attempts(n);
    return copy;
  }
  /// Any number of attempts; `max_duration` still limits them.
  constexpr retry_policy unlimited() const { return max_attempts(any_number); }
  /// No delay is longer than this, but one that retry_after asks for. Default 60 s.
  constexpr retry_policy max_interval(milliseconds limit) const {
    auto copy = *this;
    copy.max_interval_ = checked(limit);
    return copy;
  }
  /// How much longer each delay is than the one before; at least 1. Default 2.
  constexpr retry_policy backoff_coefficient(double factor) const {
    auto copy = *this;
    copy.backoff_coefficient_ = checked_coefficient(factor);
    return copy;
  }
  /// Each delay d becomes one of [d * (1 - fraction), d], all equally likely, so that those who failed together do not
  /// come again together. From 0, the default, to 1.
  constexpr retry_policy jitter(double fraction) const {
    if (!(fraction >= 0 && fraction <= 1)) throw std::invalid_argument{"romancy: jitter is a fraction from 0 to 1"};
    auto copy = *this;
    copy.jitter_ = fraction;
    return copy;
  }
  /// No attempt begins later than this after the first one began. Those that are run again without counting, because the
  /// database was away for instance, begin all the same. Default: no limit.
  constexpr retry_policy max_duration(milliseconds total) const {
    auto copy = *this;
    copy.max_duration_ = checked(total);
    return copy;
  }
  /// No further attempt after one of these exceptions, or of what is derived from them. A second call replaces the first.
  template <class... E> constexpr retry_policy non_retryable() const {
    static_assert(sizeof...(E) > 0, "romancy: name the exceptions: non_retryable<card_declined, ...>()");
    auto copy = *this;
    copy.never_ = &detail::is_one_of<E...>;
    return copy;
  }
  /// A further attempt only after one of these exceptions, or of what is derived from them; non_retryable goes first. An
  /// attempt that ended after its timeout counts as attempt_timed_out. A second call replaces the first.
  template <class... E> constexpr retry_policy retryable() const {
    static_assert(sizeof...(E) > 0, "romancy: name the exceptions: retryable<gateway_busy, ...>()");
    auto copy = *this;
    copy.only_ = &detail::is_one_of<E...>;
    return copy;
  }

  constexpr int max_attempts() const { return max_attempts_; }
  constexpr bool is_unlimited() const { return max_attempts_ == any_number; }
  constexpr milliseconds max_interval() const { return max_interval_; }
  constexpr milliseconds initial_interval() const { return initial_interval_; }
  constexpr double backoff_coefficient() const { return backoff_coefficient_; }
  constexpr double jitter() const { return jitter_; }
  constexpr std::optional<milliseconds> max_duration() const { return max_duration_; }

  /// The delay after the `failed`-th failed attempt, 1-based. `random`: of which any value is equally likely; without
  /// jitter it is of no effect.
  constexpr milliseconds delay_after(int failed, std::uint64_t random = 0) const {
    const auto delay = longest_delay_after(failed);
    const auto range = static_cast<milliseconds::rep>(static_cast<double>(delay.count()) * jitter_);
    const double place = static_cast<double>(random >> 11) * 0x1p-53; // in [0, 1)
    return delay - milliseconds{static_cast<milliseconds::rep>(place * (static_cast<double>(range) + 1))};
  }
  /// Whether there may be a further attempt after this exception.
  bool tries_again_after(const std::exception_ptr& thrown) const {
    return !(never_ && never_(thrown)) && (!only_ || only_(thrown));
  }

private:
  using classifier = bool (*)(const std::exception_ptr&);
  static constexpr int any_number = std::numeric_limits<int>::max();

  constexpr milliseconds longest_delay_after(int failed) const {
    double delay = static_cast<double>(initial_interval_.count());
    const double limit = static_cast<double>(max_interval_.count());
    if (backoff_coefficient_ > 1 && delay > 0)
      for (int i = 1; i < failed && delay < limit; ++i) delay *= backoff_coefficient_;
    return delay < limit ? milliseconds{static_cast<milliseconds::rep>(delay)} : max_interval_;
  }
  static constexpr milliseconds checked(milliseconds duration) {
    if (duration.count() < 0) throw std::invalid_argument{"romancy: a duration of a retry policy is not negative"};
    if (duration > std::chrono::hours{24 * 36'525})
      throw std::invalid_argument{"romancy: a duration of a retry policy is at most 100 years"};
    return duration;
  }
  static constexpr double checked_coefficient(double factor) {
    if (!(factor >= 1 && factor <= 1e6)) throw std::invalid_argument{"romancy: a backoff coefficient is 1 to 1e6"};
    return factor;
  }
  static constexpr int checked_attempts(int n) {
    if (n < 1) throw std::invalid_argument{"romancy: there is at least 1 attempt: no_retry() has no other"};
    return n;
  }

  milliseconds initial_interval_{1000};
  milliseconds max_interval_{60'000};
  double backoff_coefficient_ = 2.0;
  double jitter_ = 0;
  std::optional<milliseconds> max_duration_{};
  classifier never_ = nullptr;
  classifier only_ = nullptr;
  int max_attempts_ = 5;
};

/// Delays that double: `first`, 2·`first`, 4·`first` … up to `max_interval`. 5 attempts unless told otherwise.
constexpr retry_policy exponential(std::chrono::milliseconds first) { return {first, 2.0, 5}; }
/// The same delay each time. 5 attempts unless told otherwise.
constexpr retry_policy fixed(std::chrono::milliseconds delay) { return retry_policy{delay, 1.0, 5}.max_interval(delay); }
/// One attempt.
constexpr retry_policy no_retry() { return {std::chrono::milliseconds{0}, 1.0, 1}; }

} // namespace romancy
