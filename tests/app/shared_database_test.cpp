#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <romancy/romancy.hpp>

#include "testing/temporary_directory.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

/// Holds the session, and with it the write lock of the file, for most of its time.
constexpr auto occupy = activity("occupy", [](activity_context& ctx, int n) -> void {
  ctx.session() << "INSERT INTO rows_written (n) VALUES (:n)", soci::use(n);
  std::this_thread::sleep_for(2ms);
});
constexpr auto occupied = workflow("occupied", [](workflow_context<occupy>& ctx, int n) -> task<> {
  for (int i = 0; i < 1000; ++i) co_await ctx.call<occupy>(n);
});

constexpr auto touch = activity("touch", [](activity_context& ctx, int n) -> int {
  ctx.session() << "INSERT INTO rows_written (n) VALUES (:n)", soci::use(n);
  return n;
});
constexpr auto touching =
    workflow("touching", [](workflow_context<touch>& ctx, int n) -> task<int> { co_return co_await ctx.call<touch>(n); });

int restarts(const health& state) {
  int sum = 0;
  for (const auto& part : state.parts) sum += part.restarts;
  return sum;
}

/// Two apps on one file: two processes look the same from here, since each has its own epoch, connections and lease.
TEST(SharedDatabase, ABusyAppLeavesOthersTheirTurnAndNeverTakesThemForDead) {
  const temporary_directory folder;
  const auto url = folder.file("shared.db");
  const auto lease = 3000ms;
  app<occupied> busy{{.database = url, .worker_id = "busy", .worker_lease = lease}};
  const auto connection = busy.storage().connect(); // as the service itself writes
  *connection << "CREATE TABLE rows_written (n INTEGER)";
  for (int n = 0; n < 32; ++n) busy.start<occupied>(n);

  app<touching> quiet{{.database = url, .worker_id = "quiet", .worker_lease = lease}};
  const auto end = std::chrono::steady_clock::now() + lease * 5 / 2;
  for (int n = 0; std::chrono::steady_clock::now() < end; ++n) {
    EXPECT_EQ(quiet.start<touching>(n).result(), n);
    *connection << "INSERT INTO rows_written (n) VALUES (-1)";
  }
  EXPECT_EQ(restarts(quiet.health()), 0); // taken for dead, its coordinator would begin anew
  EXPECT_EQ(restarts(busy.health()), 0);
}

} // namespace
} // namespace romancy::testing
