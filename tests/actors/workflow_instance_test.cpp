#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace {

constexpr auto careful =
    workflow("careful", [](workflow_context<flaky, doomed>& ctx, const std::string& id) -> task<std::string> {
      auto tried = co_await ctx.try_call<doomed>();
      if (tried) co_return "impossible";
      const auto why = tried.failure().message;
      std::string caught;
      try {
        co_await ctx.call<flaky>(id);
      } catch (const activity_failed& e) {
        caught = e.failure().step + " in " + std::to_string(e.failure().attempts);
      }
      co_return why + ", " + caught;
    });

class WorkflowInstanceOnSqlite3 : public workflow_fixture<sqlite3_file> {};

class WorkflowInstance : public workflow_fixture<> {};

TEST_P(WorkflowInstance, CommitsEachStepWithItsRowsItsEventsAndItsHistory) {
  world<plain> app{file, book};
  app.start("plain", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, R"("F-A 1 7 A/@send_event:1")");
  EXPECT_EQ(app.history("A"), (names{"first:1 ActivityCompleted", "flaky:1 ActivityCompleted",
                                     "@transaction:1 TransactionCompleted", "@send_event:1 EventSent"}));
  EXPECT_EQ(app.event_types(), (names{"first.done", "flaky.done", "inline.done", "body.done"}));
  EXPECT_EQ(app.rows(), (names{"first A", "flaky A", "inline A"}));
  EXPECT_EQ(app.text("SELECT event_id FROM outbox_events WHERE event_type = 'body.done'"), "A/@send_event:1");
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances WHERE owner_epoch IS NOT NULL"), 0);
}

TEST_P(WorkflowInstance, TriesAgainAtTheExactTimesOfItsPolicyAndKeepsNothingOfFailedAttempts) {
  world<plain> app{file, book};
  book.failures_left = 4;
  app.start("plain", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(book.lines, (names{"first", "flaky 1", "flaky 2", "flaky 3", "flaky 4", "flaky 5"}));
  EXPECT_EQ(book.times, (std::vector<long long>{0, 0, 100, 300, 700, 1500}));
  EXPECT_EQ(app.rows(), (names{"first A", "flaky A", "inline A"}));
  EXPECT_EQ(app.count("SELECT count(*) FROM outbox_events WHERE event_type = 'flaky.done'"), 1);
  EXPECT_EQ(app.count("SELECT attempts FROM workflow_history WHERE activity_id = 'flaky:1'"), 5);
}

TEST_P(WorkflowInstance, RecordsFailuresAsOutcomesThatTheWorkflowCanHandle) {
  world<careful> app{file, book};
  book.failures_left = 99;
  app.start("careful", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, R"("there is no way, flaky:1 in 5")");
  EXPECT_EQ(app.history("A"), (names{"doomed:1 ActivityFailed", "flaky:1 ActivityFailed"}));
  EXPECT_EQ(std::count(book.lines.begin(), book.lines.end(), "doomed"), 1); // terminal: not tried again
  EXPECT_TRUE(app.rows().empty());
  EXPECT_TRUE(app.event_types().empty());
}

TEST_F(WorkflowInstanceOnSqlite3, PausesLongerAfterEachLostAttemptAndCountsNone) {
  world<plain> app{file, book, {.database_timeout = 100ms}};
  app.start("plain", {"A"}, "A");
  ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 1; }));
  app.db().begin(); // as another process that holds the lock: no session comes
  app.advance(10s);
  app.db().commit();
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::completed);
  EXPECT_EQ(book.times, (std::vector<long long>{0, 0, 150, 350, 650, 1150, 2050, 3750, 7050, 10350, 13650}));
  EXPECT_EQ(std::count(book.lines.begin(), book.lines.end(), "flaky 1"), 10);
}

ROMANCY_ON_EVERY_DATABASE(WorkflowInstance);

} // namespace
} // namespace romancy::testing
