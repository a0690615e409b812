#include "cli/instant.hpp"

#include <gtest/gtest.h>

#include "tests/cli/refusal.hpp"

namespace romancy::cli {
namespace {

using namespace std::chrono_literals;

constexpr instant midnight = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};

TEST(Instant, ReadsAnRfc3339TimeWhateverItIsNow) {
  EXPECT_EQ(parse_instant("2026-03-01T00:00:00Z", {}), midnight);
  EXPECT_EQ(parse_instant("2026-03-01t01:02:03z", {}), midnight + 1h + 2min + 3s);
  EXPECT_EQ(parse_instant("2026-03-01 01:02:03.000001Z", {}), midnight + 1h + 2min + 3s + 1us);
  EXPECT_EQ(parse_instant("2026-03-01T00:00:00.5Z", {}), midnight + 500ms);
  EXPECT_EQ(parse_instant("2026-03-01T01:30:00+01:30", {}), midnight);
  EXPECT_EQ(parse_instant("2026-02-28T23:00:00-01:00", {}), midnight);
  EXPECT_EQ(parse_instant("2024-02-29T00:00:00Z", {}), std::chrono::sys_days{std::chrono::year{2024} / 2 / 29});
}

TEST(Instant, ReadsHowLongAgoItWas) {
  EXPECT_EQ(parse_instant("90s", midnight), midnight - 90s);
  EXPECT_EQ(parse_instant("15m", midnight), midnight - 15min);
  EXPECT_EQ(parse_instant("2h", midnight), midnight - 2h);
  EXPECT_EQ(parse_instant("30d", midnight), midnight - 720h);
  EXPECT_EQ(parse_instant("0s", midnight), midnight);
}

TEST(Instant, QuotesTheWrongTextAndShowsRightOnes) {
  EXPECT_EQ(
      refusal([] { parse_instant("yesterday", {}); }),
      "\"yesterday\" is not a point in time; write it like 2026-11-28T18:50:32Z, or how long ago it was, such as 90s, "
      "15m, 2h or 30d");
}

TEST(Instant, RefusesWhatIsNoTime) {
  for (const auto* text : {"",
                           "5",
                           "d",
                           "2 h",
                           "-2h",
                           "1.5h",
                           "2w",
                           "500ms",
                           "2026",
                           "2026-03-01",
                           "2026-03-01T00:00Z",
                           "2026-03-01T00:00:00",
                           "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-03-01T24:00:00Z",
                           "2026-03-01T00:60:00Z",
                           "2026-03-01T00:00:60Z",
                           "2026-03-01T00:00:00.Z",
                           "2026-03-01T00:00:00.1234567Z",
                           "2026-03-01T00:00:00+1:00",
                           "2026-03-01T00:00:00+01",
                           "2026-03-01T00:00:00+24:00",
                           "2026-03-01T00:00:00Zx",
                           "0000-01-01T00:00:00Z",
                           "12:00"})
    EXPECT_NE(refusal([&] { parse_instant(text, {}); }).find("is not a"), std::string::npos) << text;
  EXPECT_NE(refusal([] { parse_instant("36501d", {}); }).find("is too large for a time ago"), std::string::npos);
}

} // namespace
} // namespace romancy::cli
