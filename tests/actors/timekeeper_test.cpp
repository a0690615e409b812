#include <gtest/gtest.h>

#include "testing/simulation.hpp"
#include "testing/temporary_directory.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

// A nearer deadline overtakes one that is armed; what was armed for the later one must end when it arrives.
TEST(Timekeeper, WorksAsMuchInItsSecondHourAsInItsFirst) {
  const temporary_directory directory;
  simulation app{directory.file("test.db"), {.worker_lease = 7s}};
  app.start_relayer({.enabled = true, .broker_url = "http://broker/", .poll_interval = 1s});
  const auto messages_in = [&](std::chrono::milliseconds time) {
    const auto end = app.now() + time;
    long messages = 0;
    app.run_until([&] {
      ++messages;
      return app.now() >= end;
    });
    return messages;
  };
  const auto first = messages_in(10min);
  const auto second = messages_in(10min);
  EXPECT_GT(first, 600);
  EXPECT_LT(second, first * 11 / 10);
}

} // namespace
} // namespace romancy::testing
