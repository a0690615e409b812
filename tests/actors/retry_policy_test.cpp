#include <stdexcept>

#include <gtest/gtest.h>

#include <romancy/romancy.hpp>

#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

struct gateway_error : std::runtime_error {
  using runtime_error::runtime_error;
};
struct card_declined : gateway_error {
  using gateway_error::gateway_error;
};
template <class E> std::exception_ptr thrown(const char* what) { return std::make_exception_ptr(E{what}); }
constexpr auto highest = std::numeric_limits<std::uint64_t>::max();

// What follows is a constant expression.
static_assert(exponential(100ms).delay_after(1) == 100ms);
static_assert(exponential(100ms).delay_after(5) == 1600ms);
static_assert(exponential(1s).delay_after(7) == 60s);
static_assert(exponential(1s).max_interval(10min).delay_after(7) == 64s);
static_assert(exponential(1s).backoff_coefficient(1.5).delay_after(3) == 2250ms);
static_assert(exponential(1s).delay_after(std::numeric_limits<int>::max()) == 60s);
static_assert(exponential(10s).max_interval(1s).delay_after(1) == 1s);
static_assert(fixed(250ms).delay_after(1) == 250ms && fixed(250ms).delay_after(1'000'000'000) == 250ms);
static_assert(exponential(0ms).delay_after(1'000'000'000) == 0ms);
static_assert(fixed(36'525 * 24h).delay_after(9) == 36'525 * 24h);
static_assert(no_retry().max_attempts() == 1);
static_assert(retry_policy{}.max_attempts() == 5 && !retry_policy{}.is_unlimited() && !retry_policy{}.max_duration());
static_assert(fixed(1s).unlimited().is_unlimited());
static_assert(fixed(1s).unlimited().max_attempts(3).max_attempts() == 3);
static_assert(fixed(1s).max_duration(1min).max_duration() == 1min);
static_assert(fixed(1s).jitter(0.25).jitter() == 0.25);

TEST(RetryPolicy, TakesDelaysFromTheWholeRangeOfItsJitterAndKeepsTheCap) {
  constexpr auto policy = exponential(100ms).max_interval(300ms).jitter(0.2);
  static_assert(policy.delay_after(1, 0) == 100ms && policy.delay_after(1, highest) == 80ms);
  static_assert(policy.delay_after(1, highest / 2) == 90ms);
  static_assert(policy.delay_after(9, 0) == 300ms && policy.delay_after(9, highest) == 240ms);
  static_assert(fixed(100ms).jitter(1).delay_after(1, highest) == 0ms);
  static_assert(fixed(100ms).delay_after(1, highest) == 100ms); // none
  static_assert(fixed(1ms).jitter(0.5).delay_after(1, highest) == 1ms);
  std::map<std::chrono::milliseconds, int> seen;
  constexpr std::uint64_t times = 21'000;
  for (std::uint64_t i = 0; i < times; ++i) ++seen[policy.delay_after(1, highest / times * i)];
  ASSERT_EQ(seen.size(), 21U);
  for (const auto& [delay, count] : seen) EXPECT_NEAR(count, 1000, 2) << delay.count();
}

TEST(RetryPolicy, TellsExceptionsApartByTheirDynamicType) {
  constexpr auto all = fixed(1s);
  EXPECT_TRUE(all.tries_again_after(thrown<card_declined>("")));
  EXPECT_TRUE(all.tries_again_after(std::make_exception_ptr(5)));
  constexpr auto picky = all.non_retryable<card_declined, std::logic_error>();
  EXPECT_FALSE(picky.tries_again_after(thrown<card_declined>("")));
  EXPECT_FALSE(picky.tries_again_after(thrown<std::invalid_argument>(""))); // derived
  EXPECT_TRUE(picky.tries_again_after(thrown<gateway_error>("")));          // a base
  EXPECT_TRUE(picky.tries_again_after(std::make_exception_ptr(5)));
  constexpr auto busy_only = all.retryable<gateway_error>();
  EXPECT_TRUE(busy_only.tries_again_after(thrown<card_declined>("")));
  EXPECT_FALSE(busy_only.tries_again_after(thrown<std::runtime_error>("")));
  EXPECT_FALSE(busy_only.tries_again_after(std::make_exception_ptr(5)));
  constexpr auto both = busy_only.non_retryable<card_declined>();
  EXPECT_TRUE(both.tries_again_after(thrown<gateway_error>("")));
  EXPECT_FALSE(both.tries_again_after(thrown<card_declined>("")));
  EXPECT_FALSE(both.tries_again_after(thrown<std::logic_error>("")));
  EXPECT_TRUE(all.non_retryable<int>().non_retryable<long>().tries_again_after(std::make_exception_ptr(5)));
}

TEST(RetryPolicy, RefusesNumbersThatMakeNoSenseAtRunTimeToo) {
  const auto why = [](auto make) { return refusal<std::invalid_argument>([&] { static_cast<void>(make()); }); };
  EXPECT_EQ(why([] { return fixed(-1ms); }), "romancy: a duration of a retry policy is not negative");
  EXPECT_EQ(why([] { return exponential(1s).max_interval(-1s); }),
            "romancy: a duration of a retry policy is not negative");
  EXPECT_EQ(why([] { return exponential(1s).max_duration(-1s); }),
            "romancy: a duration of a retry policy is not negative");
  EXPECT_EQ(why([] { return fixed(std::chrono::milliseconds::max()); }),
            "romancy: a duration of a retry policy is at most 100 years");
  EXPECT_EQ(why([] { return fixed(1s).max_attempts(0); }),
            "romancy: there is at least 1 attempt: no_retry() has no other");
  EXPECT_EQ(why([] { return fixed(1s).jitter(1.01); }), "romancy: jitter is a fraction from 0 to 1");
  EXPECT_EQ(why([] { return fixed(1s).jitter(-0.01); }), "romancy: jitter is a fraction from 0 to 1");
  EXPECT_EQ(why([] { return fixed(1s).jitter(std::numeric_limits<double>::quiet_NaN()); }),
            "romancy: jitter is a fraction from 0 to 1");
  EXPECT_EQ(why([] { return exponential(1s).backoff_coefficient(0.9); }), "romancy: a backoff coefficient is 1 to 1e6");
}

TEST(RetryPolicy, LimitsWhatRetryAfterAsksFor) {
  EXPECT_EQ((retry_after{-5s, ""}.delay()), 0ms);
  EXPECT_EQ((retry_after{30s, ""}.delay()), 30s);
  EXPECT_EQ((retry_after{std::chrono::milliseconds::max(), ""}.delay()), 36'525 * 24h);
  EXPECT_STREQ((retry_after{30s, "the gateway is busy"}.what()), "the gateway is busy");
}

} // namespace
} // namespace romancy::testing
