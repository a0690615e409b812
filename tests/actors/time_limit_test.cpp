#include "tests/actors/waiting_steps.hpp"

namespace romancy::testing {
namespace {

constexpr auto too_late = "its deadline has passed";

constexpr auto resting = workflow("resting", [](workflow_context<first>& ctx) -> task<void> {
  co_await ctx.call<first>("A");
  co_await ctx.wait_event("never");
});

inline void undo_slowly(activity_context& ctx, notebook& book) {
  book.perhaps_fail("cannot undo yet");
  write_row(ctx, "undone");
}
constexpr auto hard_to_undo = activity("hard_to_undo", [](activity_context& ctx) -> void { write_row(ctx, "done"); })
                                  .compensate(undo_slowly)
                                  .retry(fixed(100s).max_attempts(3));
constexpr auto doomed_flow = workflow("doomed_flow", [](workflow_context<hard_to_undo, doomed>& ctx) -> task<void> {
  co_await ctx.call<hard_to_undo>();
  co_await ctx.call<doomed>();
});

constexpr auto again_and_again = workflow("again_and_again", [](workflow_context<note>& ctx, int n) -> task<void> {
  co_await ctx.call<note>(std::to_string(n));
  co_await ctx.sleep_for(20s);
  co_await ctx.recur(n + 1);
});

class TimeLimit : public workflow_fixture<> {};

TEST_P(TimeLimit, CancelsAnInstanceThatRestsWhoeverIsThereThen) {
  {
    world<resting> app{file, book};
    app.start("resting", nlohmann::json::array(), "A", 2min);
    app.advance(1s);
    EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances WHERE owner_epoch IS NULL"), 1);
    app.crash();
  }
  world<resting> app{file, book, {}, 1min};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.instance("A").error, too_late);
  EXPECT_EQ(app.now(), 2min);
  EXPECT_EQ(app.rows(), (names{"first A", "undo first F-A"}));
}

TEST_P(TimeLimit, LeavesAloneWhatIsBeingUndoneForAFailureOfItsOwn) {
  book.failures_left = 1;
  world<doomed_flow> app{file, book};
  app.start("doomed_flow", nlohmann::json::array(), "A", 50s);
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_EQ(app.instance("A").error, "doomed:1 failed after 1 attempt: there is no way");
  EXPECT_EQ(app.now(), 100s);
  EXPECT_EQ(app.rows(), (names{"done", "undone"}));
}

TEST_P(TimeLimit, CountsFromTheStartOfTheFirstRun) {
  {
    world<again_and_again> app{file, book};
    app.start("again_and_again", {1}, "A", 50s);
    app.advance(30s);
    app.crash();
  }
  world<again_and_again> app{file, book, {}, 45s};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.instance("A").error, too_late);
  EXPECT_EQ(app.instance("A").run, 3);
  EXPECT_EQ(app.now(), 50s);
  EXPECT_EQ(app.rows(), (names{"1", "2", "3"}));
}

ROMANCY_ON_EVERY_DATABASE(TimeLimit);

} // namespace
} // namespace romancy::testing
