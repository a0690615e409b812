#include "storage/timestamp.hpp"

#include <gtest/gtest.h>

#include <romancy/error.hpp>

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

TEST(Timestamp, KeepsMicrosecondsAndReadsWhatDatabasesWrite) {
  const auto time = time_point{std::chrono::sys_days{std::chrono::year{2026} / 2 / 28}} + 23h + 59min + 58s + 123456us;
  EXPECT_EQ(to_text(time), "2026-02-28 23:59:58.123456");
  EXPECT_EQ(to_time_point(to_text(time)), time);
  EXPECT_EQ(to_time_point("2026-02-28T23:59:58"), time - 123456us);
  EXPECT_EQ(to_time_point("2026-02-28 23:59:58.5"), time - 123456us + 500ms);
  EXPECT_THROW(to_time_point("yesterday"), storage_error);
}

} // namespace
} // namespace romancy::testing
