#include "tests/actors/waiting_steps.hpp"

namespace romancy::testing {
namespace {

constexpr auto child = workflow("child", [](workflow_context<first, doomed>& ctx, const std::string& id) -> task<int> {
  co_await ctx.call<first>(id);
  if (id == "bad") co_await ctx.call<doomed>();
  co_await ctx.sleep_for(1min);
  co_return 42;
});
constexpr auto parent =
    workflow("parent", [](workflow_context<child, second>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<second>(id);
      const auto answer = co_await ctx.try_call<child>(id);
      if (!answer) co_return "child failed: " + answer.failure().message;
      co_return std::to_string(*answer);
    });

class Children : public workflow_fixture<> {};

TEST_P(Children, RunsAChildWithItsOwnHistoryAndResult) {
  world<parent> app{file, book};
  app.start("parent", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, R"("42")");
  EXPECT_EQ(app.now(), 1min);
  EXPECT_EQ(app.history("A"), (names{"second:1 ActivityCompleted", "@child.child:1 ChildCompleted"}));
  EXPECT_EQ(app.instance("A/@child.child:1").output, "42");
  EXPECT_EQ(app.instance("A/@child.child:1").parent_id, "A");
}

TEST_P(Children, TellsTheParentHowTheChildFailed) {
  world<parent> app{file, book};
  app.start("parent", {"bad"}, "bad");
  ASSERT_TRUE(app.ends("bad"));
  EXPECT_EQ(app.instance("bad").output,
            R"("child failed: instance bad/@child.child:1 failed: doomed:1 failed after 1 attempt: there is no way")");
}

TEST_P(Children, CancelsChildrenBeforeItUndoesItsOwnSteps) {
  world<parent> app{file, book};
  app.start("parent", {"A"}, "A");
  app.advance(1s);
  app.cancel("A", "enough");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.now(), 1s);
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.status("A/@child.child:1"), instance_status::cancelled);
  EXPECT_EQ(app.instance("A/@child.child:1").error, "its parent A is undone: enough");
  EXPECT_EQ(app.rows(), (names{"second A", "first A", "undo first F-A", "undo second A"}));
}

// -- ids that are given -------------------------------------------------------------------------------------------------

constexpr auto echo = workflow("echo", [](workflow_context<>& ctx, int value) -> task<int> {
  co_await ctx.sleep_for(1s);
  co_return value;
});
constexpr auto in_each_run = workflow("in_each_run", [](workflow_context<echo>& ctx, int run) -> task<std::string> {
  const instance_id id{"X"};
  const auto answer = co_await ctx.try_call<echo>(7, id);
  if (!answer) co_return answer.failure().message;
  co_return co_await ctx.recur(run + *answer);
});

TEST_P(Children, TakesNoChildOfAnEarlierRunForItsOwn) {
  world<in_each_run> app{file, book};
  app.start("in_each_run", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").run, 2);
  EXPECT_EQ(app.instance("A").output, R"("instance X exists already, and is the child of another step, or of an earlier )"
                                      R"(run, of this one: choose another id")");
}

constexpr auto same_id = workflow("same_id", [](workflow_context<echo>& ctx) -> task<std::string> {
  auto one = ctx.start<echo>(1, instance_id{"X"});
  auto two = ctx.start<echo>(2, instance_id{"X"});
  const int answer = co_await one;
  std::string why = "none";
  try {
    const int other = co_await two;
    why = std::to_string(other);
  } catch (const activity_failed& e) {
    why = e.failure().step;
  }
  co_return std::to_string(answer) + ' ' + why;
});

TEST_P(Children, FailsTheSecondOfTwoStepsThatNameTheSameChild) {
  world<same_id> app{file, book};
  app.start("same_id", nlohmann::json::array(), "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, R"("1 @child.echo:2")") << app.instance("A").error;
  EXPECT_EQ(app.history("A"), (names{"@child.echo:2 ChildFailed", "@child.echo:1 ChildCompleted"}));
}

TEST_P(Children, TakesNoInstanceOfSomebodyElseForItsChild) {
  world<in_each_run> app{file, book};
  app.start("echo", {7}, "X");
  app.start("in_each_run", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output,
            R"("instance X exists already, and is not a child of this one: choose another id")");
}

ROMANCY_ON_EVERY_DATABASE(Children);

} // namespace
} // namespace romancy::testing
