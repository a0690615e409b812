#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace changed {
constexpr auto shorter =
    workflow("plain", [](workflow_context<>&, const std::string&) -> task<std::string> { co_return "none"; });
constexpr auto retyped_first = activity("first", [](activity_context&, const std::string&) -> int { return 1; });
constexpr auto retyped =
    workflow("plain", [](workflow_context<retyped_first>& ctx, const std::string& id) -> task<std::string> {
      const int number = co_await ctx.call<retyped_first>(id);
      co_return std::to_string(number);
    });
constexpr auto without_input = workflow(
    "plain", [](workflow_context<first>& ctx) -> task<std::string> { co_return co_await ctx.call<first>("nobody"); });
constexpr auto another_input = workflow("plain", [](workflow_context<first>& ctx, int) -> task<std::string> {
  co_return co_await ctx.call<first>("nobody");
});
} // namespace changed
namespace {

constexpr auto announce =
    workflow("announce", [](workflow_context<first>& ctx, const std::string& id) -> task<std::string> {
      const nlohmann::json data{{"order_id", id}};
      const auto options = event_options{}.id("the only one");
      std::string said = "said";
      try {
        co_await send_event_transactional(ctx, "announced", "test", data, options);
      } catch (const activity_failed& e) {
        said = e.failure().step;
      }
      co_await ctx.call<first>(id);
      co_return said;
    });

class Replay : public workflow_fixture<> {
protected:
  /// Of the instance A in the database, whatever lives.
  std::string app_status() const {
    const auto db = database::open(database_url::parse(file), {}, 1s);
    return std::string{to_string(instance_table{*db}.find("A").value_or(instance_record{}).status)};
  }
};

class counting_hooks final : public lifecycle_hooks {
public:
  int replays = 0;
  void on_replay(const workflow_info&, int steps) override {
    EXPECT_EQ(steps, 4);
    ++replays;
  }
};

TEST_P(Replay, SendsTheEventOfAWorkflowBodyOnceInTenReplays) {
  notebook paper;
  const auto hooks = std::make_shared<counting_hooks>();
  { // everything but the end
    world<plain> app{file, paper};
    app.start("plain", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 4; }));
    app.crash();
  }
  for (int replay = 1; replay <= 10; ++replay) {
    world<plain> app{file, paper, {.hooks = hooks}};
    ASSERT_TRUE(app.run_until([&] { return hooks->replays == replay; })) << replay;
    app.crash(); // before its end is committed
    ASSERT_EQ(app_status(), "running") << replay;
  }
  world<plain> app{file, paper};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.event_types(), (names{"first.done", "flaky.done", "inline.done", "body.done"}));
  EXPECT_EQ(paper.lines, (names{"first", "flaky 1"}));
}

TEST_P(Replay, ReplaysAnEventThatCouldNotBeSentAsTheFailureItWas) {
  {
    world<announce> app{file, book};
    app.start("announce", {"A"}, "A");
    ASSERT_TRUE(app.ends("A"));
    app.start("announce", {"B"}, "B");
    ASSERT_TRUE(app.run_until([&] { return app.history("B").size() == 1; }));
    app.crash();
  }
  world<announce> app{file, book};
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.instance("A").output, R"("said")");
  EXPECT_EQ(app.instance("B").output, R"("@send_event:1")");
  EXPECT_EQ(app.history("B"), (names{"@send_event:1 EventFailed", "first:1 ActivityCompleted"}));
}

TEST_P(Replay, ParksOnAMismatchAndNamesBothSides) {
  kill_after<plain>(1);
  world<changed::plain> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::parked);
  EXPECT_EQ(app.instance("A").error,
            "at position 1 history has first:1 (ActivityCompleted), the workflow plain asks for second:1 (activity)");
  EXPECT_EQ(app.history("A").size(), 1U); // nothing ran, nothing was undone
}

TEST_P(Replay, ParksWhenTheWorkflowEndsBeforeItsHistory) {
  kill_after<plain>(2);
  world<changed::shorter> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("history has flaky:1 at position 2"), std::string::npos)
      << app.instance("A").error;
}

TEST_P(Replay, ParksOnAGapInHistoryBeforeAnythingRunsInIt) {
  kill_after<plain>(2);
  world<plain> app{file, book};
  app.db().session() << "DELETE FROM workflow_history WHERE position = 1";
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("nothing at position 1"), std::string::npos) << app.instance("A").error;
  EXPECT_EQ(std::count(book.lines.begin(), book.lines.end(), "first"), 1);
}

TEST_P(Replay, ParksWhenTheOutputInHistoryNoLongerFitsItsType) {
  kill_after<plain>(1);
  world<changed::retyped> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("cannot read the output of first:1"), std::string::npos)
      << app.instance("A").error;
}

TEST_P(Replay, ParksWhenTheInputsItWasStartedWithNoLongerFit) {
  kill_after<plain>(1);
  world<changed::another_input> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("today's plain cannot read the inputs"), std::string::npos)
      << app.instance("A").error;
}

TEST_P(Replay, ParksWhenTheWorkflowTakesFewerInputsThanItWasStartedWith) {
  kill_after<plain>(1);
  world<changed::without_input> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("today's plain cannot read the inputs"), std::string::npos)
      << app.instance("A").error;
}

TEST_P(Replay, ParksAndUndoesNothingWhenInputsInHistoryAreOverALimitThatWasLowered) {
  kill_after<plain>(2);
  world<plain> app{file, book, {.max_payload_bytes = 4}}; // ["A"] has 5
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::parked) << app.instance("A").error;
  EXPECT_EQ(app.rows(), (names{"first A", "flaky A"}));
}

ROMANCY_ON_EVERY_DATABASE(Replay);

} // namespace
} // namespace romancy::testing
