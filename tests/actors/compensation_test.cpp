#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace changed {
static void undo_output(activity_context& ctx, const std::string& output) { write_row(ctx, "undo first " + output); }
constexpr auto without_input =
    activity("first", [](activity_context&) -> std::string { return "F"; }).compensate(undo_output);
constexpr auto shorter_saga =
    workflow("saga", [](workflow_context<without_input, second>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<second>(id);
      co_return co_await ctx.call<without_input>();
    });
} // namespace changed
namespace {

class Compensation : public workflow_fixture<> {};

TEST_P(Compensation, UndoesTheStepCompletedLastFirstAndTriesAgain) {
  world<saga> app{file, book};
  book.failures_left = 2;
  app.start("saga", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::failed);
  EXPECT_EQ(app.instance("A").error, "doomed:1 failed after 1 attempt: there is no way");
  EXPECT_EQ(app.history("A"),
            (names{"first:1 ActivityCompleted", "second:1 ActivityCompleted", "doomed:1 ActivityFailed",
                   "@compensate:second:1 CompensationExecuted", "@compensate:first:1 CompensationExecuted"}));
  EXPECT_EQ(app.rows(), (names{"first A", "second A", "undo second A", "undo first F-A"}));
  EXPECT_EQ(app.event_types(), (names{"first.done", "first.undone"}));
}

TEST_P(Compensation, SaysWhatCouldNotBeUndoneAndUndoesTheRest) {
  world<saga> app{file, book};
  book.failures_left = 3;
  app.start("saga", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::failed);
  EXPECT_EQ(app.instance("A").error,
            "doomed:1 failed after 1 attempt: there is no way; not undone: second:1 (cannot undo yet)");
  EXPECT_EQ(app.rows(), (names{"first A", "second A", "undo first F-A"}));
}

TEST_P(Compensation, ParksWhenTheCodeNoLongerHasTheCompensation) {
  {
    world<saga> app{file, book};
    app.start("saga", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.instance("A").status == instance_status::compensating; }));
  }
  app_options options;
  world<changed::saga> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("no compensation for an activity 'second'"), std::string::npos)
      << app.instance("A").error;
}

TEST_P(Compensation, ParksWhenItTakesFewerArgumentsThanAreStored) {
  {
    world<saga> app{file, book};
    app.start("saga", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.status("A") == instance_status::compensating; }));
  }
  world<changed::shorter_saga> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("what is to be undone of first:1"), std::string::npos)
      << app.instance("A").error;
  EXPECT_EQ(app.rows(), (names{"first A", "second A", "undo second A"})); // nothing is undone with an input for an output
}

ROMANCY_ON_EVERY_DATABASE(Compensation);

} // namespace
} // namespace romancy::testing
