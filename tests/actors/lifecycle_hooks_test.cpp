#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace {

class LifecycleHooks : public workflow_fixture<> {};

TEST_P(LifecycleHooks, TellsItsHooksInOrderAndSurvivesTheirExceptions) {
  for (const bool throwing : {false, true}) {
    notebook paper;
    paper.failures_left = 1;
    const auto hooks = std::make_shared<recording_hooks>();
    hooks->throwing = throwing;
    world<plain> app{another(), paper, {.hooks = hooks}};
    app.start_relayer({.enabled = true, .broker_url = "http://broker/"});
    app.start("plain", {"A"}, "A");
    ASSERT_TRUE(app.ends("A"));
    app.advance(2s);
    const auto at = [&](const char* line) {
      const auto found = std::find(hooks->lines.begin(), hooks->lines.end(), line);
      EXPECT_NE(found, hooks->lines.end()) << line;
      return found - hooks->lines.begin();
    };
    EXPECT_EQ(at("start A"), 0);
    EXPECT_LT(at("start first:1 1"), at("complete first:1"));
    EXPECT_LT(at("start flaky:1 1"), at("retry flaky:1 1 after 100: not yet"));
    EXPECT_LT(at("retry flaky:1 1 after 100: not yet"), at("start flaky:1 2"));
    EXPECT_LT(at("sent flaky.done"), at("delivered flaky.done"));
    EXPECT_LT(at("sent body.done"), at("complete A"));
    EXPECT_EQ(app.count("SELECT count(*) FROM outbox_events WHERE status = 'published'"), 4);
  }
}

TEST_P(LifecycleHooks, SaysOfReplayHowManyStepsAreRecorded) {
  const auto hooks = std::make_shared<recording_hooks>();
  for (const std::size_t steps : {0U, 2U}) {
    const auto path = another();
    {
      world<plain> app{path, book};
      app.start("plain", {"A"}, "A");
      ASSERT_TRUE(app.run_until([&] {
        return app.status("A") == instance_status::running && app.count("SELECT count(*) FROM workflow_instances") == 1 &&
               app.history("A").size() == steps;
      }));
      app.crash();
    }
    world<plain> app{path, book, {.hooks = hooks}};
    ASSERT_TRUE(app.ends("A"));
    app.settle();
    EXPECT_EQ(hooks->lines.front(), "replay A " + std::to_string(steps));
    EXPECT_EQ(hooks->lines.back(), "complete A");
    EXPECT_FALSE(hooks->said("start A"));
    hooks->lines.clear();
  }
}

TEST_P(LifecycleHooks, SaysWhyAStepFailedAndWhenItIsTriedAgain) {
  const auto hooks = std::make_shared<recording_hooks>();
  world<saga> app{file, book, {.hooks = hooks}};
  book.failures_left = 3; // to undo second
  app.start("saga", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  app.settle();
  EXPECT_EQ(
      hooks->lines,
      (names{"start A", "start first:1 1", "sent first.done", "complete first:1", "start second:1 1", "complete second:1",
             "start doomed:1 1", "failed doomed:1 1: there is no way", "start @compensate:second:1 1",
             "retry @compensate:second:1 1 after 10: cannot undo yet", "start @compensate:second:1 2",
             "retry @compensate:second:1 2 after 10: cannot undo yet", "start @compensate:second:1 3",
             "failed @compensate:second:1 3: cannot undo yet", "start @compensate:first:1 1", "sent first.undone",
             "complete @compensate:first:1",
             "failed A: doomed:1 failed after 1 attempt: there is no way; not undone: second:1 (cannot undo yet)"}));
}

TEST_P(LifecycleHooks, SaysWhyAnInstanceWasParkedOrCancelled) {
  const auto hooks = std::make_shared<recording_hooks>();
  {
    world<patient> app{file, book};
    for (const auto* id : {"A", "B"}) app.start("patient", {id}, id);
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 2 && app.history("B").size() == 1; }));
    app.crash();
  }
  world<changed::patient> app{file, book, {.hooks = hooks}};
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  app.cancel("A", "not worth it");
  app.settle();
  const std::string why =
      "at position 1 history has first:1 (ActivityCompleted), the workflow patient asks for second:1 (activity)";
  for (const auto& line : {"replay A 2", "replay B 1"}) EXPECT_TRUE(hooks->said(line)) << line;
  for (const auto* id : {"A: ", "B: "}) EXPECT_TRUE(hooks->said(std::string{"parked "} + id + why)) << id;
  EXPECT_EQ(hooks->lines.back(), "cancelled A: not worth it");
}

ROMANCY_ON_EVERY_DATABASE(LifecycleHooks);

} // namespace
} // namespace romancy::testing
