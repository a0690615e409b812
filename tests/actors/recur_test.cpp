#include "tests/actors/waiting_steps.hpp"

namespace romancy::testing {
namespace {

constexpr auto counter = workflow("counter", [](workflow_context<note>& ctx, int n, int end) -> task<int> {
  co_await ctx.call<note>(std::to_string(n));
  if (n >= end) co_return n;
  co_return co_await ctx.recur(n + 1, end);
});

class Recur : public workflow_fixture<> {};

TEST_P(Recur, ContinuesAsNewWithOnlyTheLastRunInHistory) {
  world<counter> app{file, book};
  app.start("counter", {1, 20}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, "20");
  EXPECT_EQ(app.instance("A").run, 20);
  EXPECT_EQ(app.rows().size(), 20U);
  EXPECT_EQ(app.history("A"), names{"note:1 ActivityCompleted"});
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_history_archive"), 19);
  EXPECT_EQ(app.count("SELECT count(DISTINCT run) FROM workflow_history_archive"), 19);
}

constexpr auto diary = workflow("diary", [](workflow_context<note>& ctx, int run) -> task<void> {
  const auto begun = milliseconds_of(ctx.now());
  const auto drawn = std::to_string(ctx.random()) + ctx.uuid();
  co_await ctx.call<note>(begun);
  co_await ctx.call<note>(drawn);
  co_await ctx.sleep_for(20s);
  const auto again = begun + ' ' + drawn; // of the replay
  co_await ctx.call<note>(again);
  if (run < 2) co_await ctx.recur(run + 1);
});

TEST_P(Recur, GivesTheSameTimeAndRandomNumbersInEachReplay) {
  world<diary> app{file, book};
  app.advance(5s);
  app.start("diary", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  const auto rows = app.rows();
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_EQ(rows[0], "5000");
  EXPECT_EQ(rows[3], "25000"); // of the second run
  for (std::size_t i : {0U, 3U}) EXPECT_EQ(rows[i + 2], rows[i] + ' ' + rows[i + 1]);
  EXPECT_NE(rows[1], rows[4]);
}

constexpr auto renewed = workflow("renewed", [](workflow_context<note>& ctx, int run) -> task<std::string> {
  co_await ctx.call<note>(std::to_string(run));
  if (run == 1) co_return co_await ctx.recur(2);
  const auto word = co_await ctx.wait_event<std::string>("word", 1h);
  co_return word.value_or("nothing");
});

/// Also between the request to begin anew and its answer.
TEST_P(Recur, SeesInTheNextRunWhatCameAfterWhicheverMessage) {
  int k = 0;
  for (bool rests = false; !rests; k += is(database_url::backend::sqlite3) ? 1 : 7) {
    world<renewed> app{another(), book};
    app.start("renewed", {1}, "A");
    app.run_until([] { return false; }, k);
    rests = app.count("SELECT count(*) FROM workflow_waits") > 0;
    app.receive("word", "now", "A");
    ASSERT_TRUE(app.run_until([&] { return app.status("A") == instance_status::completed; }, 5000)) << "k = " << k;
    ASSERT_EQ(app.instance("A").output, R"("now")") << "k = " << k;
    ASSERT_LT(app.now(), 10s) << "k = " << k;
  }
  EXPECT_GT(k, 20);
}

ROMANCY_ON_EVERY_DATABASE(Recur);

} // namespace
} // namespace romancy::testing
