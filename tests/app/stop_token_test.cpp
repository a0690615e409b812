#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/app/running_app.hpp"
#include "tests/support/database_file.hpp"

namespace romancy::testing {
namespace {

/// Waits for what does not come, or for the stop.
struct doorbell {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::atomic<int> waiting{0};
  std::atomic<bool> open{false};

  void wait(const std::stop_token& stop) {
    std::unique_lock lock{mutex};
    ++waiting;
    changed.wait(lock, stop, [this] { return open.load(); });
  }
  void wait_until_somebody_waits(int n = 1) const {
    while (waiting < n) std::this_thread::yield();
  }
};
constexpr auto ring = romancy::activity("ring", [](external_context& ctx, doorbell& bell) -> int {
                        bell.wait(ctx.stop_token());
                        ctx.check_stop();
                        return ctx.attempt();
                      }).retry(fixed(1ms).max_attempts(3));
constexpr auto ring_in_a_hurry =
    romancy::activity("ring_in_a_hurry",
                      [](activity_context& ctx, doorbell& bell) -> int {
                        ctx.session() << "INSERT INTO rung (attempt) VALUES (:n)", soci::use(ctx.attempt());
                        bell.wait(ctx.stop_token()); // and returns as if nothing had happened
                        if (ctx.attempt() == 2) bell.open = true;
                        return ctx.attempt();
                      })
        .timeout(200ms)
        .retry(fixed(1ms).unlimited());
constexpr auto visit = workflow("visit", [](workflow_context<ring>& ctx, int) -> task<int> {
  const int attempts = co_await ctx.call<ring>();
  co_return attempts;
});
constexpr auto visit_in_a_hurry =
    workflow("visit_in_a_hurry", [](workflow_context<ring_in_a_hurry>& ctx, int) -> task<int> {
      const int attempts = co_await ctx.call<ring_in_a_hurry>();
      co_return attempts;
    });

/// Two that want the one session of SQLite.
struct session_user {
  std::atomic<bool> has_it{false};
  std::atomic<bool> other_asks{false};
};
constexpr auto timeout_of_the_other = 2s;
constexpr auto hold = romancy::activity("hold", [](activity_context& ctx, session_user& user) -> void {
  ctx.session() << "INSERT INTO rung (attempt) VALUES (100)";
  user.has_it = true;
  while (!user.other_asks) std::this_thread::yield();
  const auto end = std::chrono::steady_clock::now() + timeout_of_the_other + 500ms;
  while (std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(10ms);
});
constexpr auto ask = romancy::activity("ask",
                                       [](activity_context& ctx, session_user& user) -> int {
                                         while (!user.has_it) std::this_thread::yield();
                                         user.other_asks = true;
                                         ctx.session() << "INSERT INTO rung (attempt) VALUES (:n)",
                                             soci::use(ctx.attempt());
                                         ctx.check_stop();
                                         return ctx.attempt();
                                       })
                         .timeout(timeout_of_the_other)
                         .retry(no_retry());
constexpr auto holding =
    workflow("holding", [](workflow_context<hold>& ctx, int) -> task<> { co_await ctx.call<hold>(); });
constexpr auto asking = workflow("asking", [](workflow_context<ask>& ctx, int) -> task<int> {
  const int attempts = co_await ctx.call<ask>();
  co_return attempts;
});

class StopTokenOfAnApp : public RunningApp {
protected:
  StopTokenOfAnApp() { database_file{file}.db().session() << "CREATE TABLE rung (attempt INTEGER)"; }
};

TEST_F(StopTokenOfAnApp, WakesAnAttemptThatWaitsWhenItsInstanceIsCancelled) {
  doorbell bell;
  app<visit> app{{.database = file}, bell};
  const auto run = app.start<visit>(1, instance_id{"A"});
  bell.wait_until_somebody_waits();
  EXPECT_TRUE(run.cancel("nobody is at home"));
  EXPECT_THROW(run.result(60s), instance_failed);
  EXPECT_EQ(run.status(), instance_status::cancelled);
  EXPECT_EQ(bell.waiting, 1);
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM workflow_history"), 0);
}

TEST_F(StopTokenOfAnApp, WakesAnAttemptAtItsTimeoutWhoseRowsAreThenUndone) {
  doorbell bell;
  app<visit_in_a_hurry> app{{.database = file}, bell};
  const auto run = app.start<visit_in_a_hurry>(1);
  const int attempts = run.result(60s);
  EXPECT_GE(attempts, 3); // the second one waits in vain too, and opens afterwards
  database_file outside{file};
  EXPECT_EQ(outside.texts("SELECT attempt FROM rung"), std::vector<std::string>{std::to_string(attempts)});
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_history h, json_each(h.details, '$.errors') e "
                           "WHERE e.value = 'timed out after 200 ms'"),
            std::min(attempts - 1, 3));
}

TEST_F(StopTokenOfAnApp, WakesAttemptsWhenTheAppStopsAndTheyRunAgainAtItsNextStart) {
  doorbell bell;
  const auto began = std::chrono::steady_clock::now();
  {
    app<visit> app{{.database = file, .shutdown_timeout = 5min}, bell};
    for (int i = 0; i < 3; ++i) app.start<visit>(1, instance_id{"A" + std::to_string(i)});
    bell.wait_until_somebody_waits(3);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1min); // nobody waited for the timeout
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM workflow_history"), 0);
  bell.open = true;
  app<visit> app{{.database = file}, bell};
  EXPECT_EQ(app.find<visit>("A2").result(60s), 1);
}

TEST_F(StopTokenOfAnApp, IsNotRequestedForTheTimeThatAnAttemptWaitsForTheSession) {
  session_user user;
  app<holding, asking> app{{.database = file}, user};
  const auto asked = app.start<asking>(1); // before the other one has the session, which starting needs too
  app.start<holding>(1);
  EXPECT_EQ(asked.result(60s), 1);
}

} // namespace
} // namespace romancy::testing
