#include "cli/duration.hpp"

#include <gtest/gtest.h>

#include "tests/cli/refusal.hpp"

namespace romancy::cli {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsMillisecondsSecondsMinutesAndHours) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("2s"), 2s);
  EXPECT_EQ(parse_duration("1m"), 1min);
  EXPECT_EQ(parse_duration("24h"), 24h);
}

TEST(Duration, MayBeZero) { EXPECT_EQ(parse_duration("0s"), 0ms); }

TEST(Duration, QuotesTheWrongTextAndShowsRightOnes) {
  EXPECT_EQ(refusal([] { parse_duration("5 min"); }),
            "\"5 min\" is not a duration; write a whole number and a unit, such as 500ms, 2s, 1m or 24h");
}

TEST(Duration, RefusesWhatIsNotAWholeNumberWithAUnit) {
  for (const auto* text :
       {"", "5", "s", "ms", "-5s", "+5s", "1.5s", " 5s", "5s ", "5 s", "5S", "5d", "5s5", "0x5s", "1e3s"})
    EXPECT_NE(refusal([&] { parse_duration(text); }).find("is not a duration"), std::string::npos) << text;
}

TEST(Duration, RefusesMoreThanAHundredYears) {
  EXPECT_EQ(parse_duration("876000h"), 876'000h);
  for (const auto* text : {"876001h", "9223372036854775807ms", "18446744073709551615h", "99999999999999999999999ms"})
    EXPECT_NE(refusal([&] { parse_duration(text); }).find("is too large for a duration"), std::string::npos) << text;
}

TEST(Duration, CanBeAddedToAClockWhateverItIs) {
  const auto now = std::chrono::steady_clock::now();
  EXPECT_GT(now + parse_duration("876000h"), now);
}

} // namespace
} // namespace romancy::cli
