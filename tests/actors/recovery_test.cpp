#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace {

class RecoveryOnSqlite3 : public workflow_fixture<sqlite3_file> {}; // where one connection can lock all others out

class Recovery : public workflow_fixture<> {};

/// kill -9 after the k-th message, for every k; on servers, where a database takes its time to be made, for every fifth.
TEST_P(Recovery, LosesAndRepeatsNothingWhateverMessageIsTheLast) {
  int crashes = 0;
  for (int k = 0;; k += is(database_url::backend::sqlite3) ? 1 : 5) {
    const auto path = another();
    notebook paper;
    bool ended = false;
    {
      world<plain, saga> app{path, paper};
      app.start("plain", {"P"}, "P");
      app.start("saga", {"S"}, "S");
      for (int i = 0; i < k && !(ended = is_settled(app.instance("P").status) && is_settled(app.instance("S").status));
           ++i)
        app.run_until([] { return false; }, 1);
      app.crash();
    }
    ++crashes;
    world<plain, saga> app{path, paper};
    const bool p_exists = !app.instance("P").instance_id.empty();
    const bool s_exists = !app.instance("S").instance_id.empty();
    if (!p_exists) app.start("plain", {"P"}, "P");
    if (!s_exists) app.start("saga", {"S"}, "S");
    ASSERT_TRUE(app.ends("P")) << "k = " << k;
    ASSERT_TRUE(app.ends("S")) << "k = " << k;
    ASSERT_EQ(app.instance("P").output, R"("F-P 1 7 P/@send_event:1")") << "k = " << k;
    ASSERT_EQ(app.instance("S").error, "doomed:1 failed after 1 attempt: there is no way") << "k = " << k;
    auto rows = app.rows();
    std::sort(rows.begin(), rows.end());
    ASSERT_EQ(rows, (names{"first P", "first S", "flaky P", "inline P", "second S", "undo first F-S", "undo second S"}))
        << "k = " << k;
    auto events = app.event_types();
    std::sort(events.begin(), events.end());
    ASSERT_EQ(events, (names{"body.done", "first.done", "first.done", "first.undone", "flaky.done", "inline.done"}))
        << "k = " << k;
    if (ended) break;
  }
  EXPECT_GT(crashes, is(database_url::backend::sqlite3) ? 80 : 15);
}

TEST_P(Recovery, CommitsNothingOnceAnotherWorkerHasTakenTheInstanceOver) {
  world<plain> app{file, book};
  app.start("plain", {"A"}, "A");
  ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 1; }));
  app.db().session() << "UPDATE workflow_instances SET owner_epoch = 'other', fence = fence + 1";
  app.advance(3s);
  EXPECT_EQ(app.history("A").size(), 1U);
  EXPECT_EQ(app.rows(), names{"first A"});
  EXPECT_EQ(app.event_types(), names{"first.done"});
}

TEST_P(Recovery, BeginsAnewWhenThisWorkerWasSilentForTooLong) {
  world<plain> app{file, book};
  book.failures_left = 2;
  app.start("plain", {"A"}, "A");
  ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 1; }));
  // As another worker does it that found our lease run out.
  app.db().session() << "DELETE FROM worker_epochs";
  app.db().session() << "UPDATE workflow_instances SET owner_epoch = NULL, wake_at = started_at";
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::completed);
  EXPECT_EQ(app.rows(), (names{"first A", "flaky A", "inline A"}));
}

TEST_F(RecoveryOnSqlite3, IsNotTakenOverBecauseNobodyCouldWriteForLongerThanTheLease) {
  world<plain> app{file, book};
  app.advance(1s);
  app.db().session() << "INSERT INTO worker_epochs (epoch, worker_id, host, process, started_at, expires_at) VALUES "
                        "('neighbour', 'w', 'elsewhere', '1:1', '2026', '2026-01-01 00:00:11.000000')";
  app.advance(1s);
  app.db().begin(); // someone holds the lock, and neither of the two can renew
  app.advance(20s);
  app.db().commit();
  app.advance(6s); // our own late renewal says nothing about the neighbour's
  EXPECT_EQ(app.count("SELECT count(*) FROM worker_epochs WHERE epoch = 'neighbour'"), 1);
  app.advance(20s); // but it has not come back since
  EXPECT_EQ(app.count("SELECT count(*) FROM worker_epochs WHERE epoch = 'neighbour'"), 0);
}

TEST_P(Recovery, GoesOnAfterAnyActorWasKilled) {
  for (const auto* name : {"timekeeper", "transaction_coordinator", "worker_lease", "executor_pool", "dispatcher"}) {
    notebook paper;
    paper.failures_left = 3;
    world<plain> app{another(), paper};
    app.start("plain", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 1; })) << name;
    app.kill(name);
    ASSERT_TRUE(app.ends("A")) << name;
    EXPECT_EQ(app.instance("A").status, instance_status::completed) << name;
    EXPECT_EQ(app.rows(), (names{"first A", "flaky A", "inline A"})) << name;
  }
}

TEST_F(RecoveryOnSqlite3, GivesBackWhatWasOwnedBeforeACoordinatorThatNeverGotToWrite) {
  world<patient> app{file, book};
  book.failures_left = 1;
  app.start("patient", {"A"}, "A");
  ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 2; }));
  app.settle();
  app.db().begin(); // as another process that holds the lock
  for (int deaths = 0; deaths < 3; ++deaths) {
    ASSERT_TRUE(app.run_until([&] { return static_cast<bool>(app.roster().get("transaction_coordinator")); }));
    app.kill("transaction_coordinator");
    app.advance(200ms);
  }
  app.db().commit();
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::completed);
  EXPECT_LT(app.now(), 5s); // not when a lease has run out
  EXPECT_EQ(app.rows(), (names{"first A", "second A", "flaky A"}));
}

TEST_P(Recovery, WorksThroughMoreThanItMayRunAtOnceWithoutWaitingForThePoll) {
  world<patient> app{file, book, {.max_running_instances = 5}};
  app.settle();
  for (int i = 0; i < 40; ++i)
    app.db().session()
        << "INSERT INTO workflow_instances (instance_id, workflow_name, input_data, started_at) VALUES ('" +
               std::to_string(i) + "', 'patient', '[\"" + std::to_string(i) + "\"]', '2026-01-01 00:00:00.000000')";
  app.advance(1100ms); // one poll
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances WHERE status = 'completed'"), 40);
}

constexpr auto knock = activity("knock", [](external_context&, const std::string& id, notebook& book) -> void {
  book.note(id);
  if (const auto meanwhile = std::exchange(book.meanwhile, nullptr)) meanwhile();
});
constexpr auto knocking = workflow(
    "knocking", [](workflow_context<knock>& ctx, const std::string& id) -> task<> { co_await ctx.call<knock>(id); });

TEST_P(Recovery, BeginsNoAttemptOfAnInstanceThatHasEnded) {
  world<knocking> app{file, book, {.executors = 1}};
  book.meanwhile = [&] {
    app.start("knocking", {"B"}, "B"); // waits for the executor
    app.settle();
    app.kill("dispatcher");
    app.settle();
  };
  app.start("knocking", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(std::count(book.lines.begin(), book.lines.end(), "B"), 1);
}

ROMANCY_ON_EVERY_DATABASE(Recovery);

} // namespace
} // namespace romancy::testing
