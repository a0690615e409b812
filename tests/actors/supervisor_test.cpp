#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace {

constexpr auto parts = {"callback_runner", "timekeeper", "transaction_coordinator", "worker_lease",
                        "executor_pool",   "dispatcher", "http_publisher",          "outbox_relayer"};

constexpr auto wait = activity("wait", [](external_context&, const std::string& id, notebook& book) -> void {
  book.note(id);
  book.meanwhile();
});
constexpr auto idle =
    workflow("idle", [](workflow_context<wait>& ctx, const std::string& id) -> task<> { co_await ctx.call<wait>(id); });

class Supervisor : public workflow_fixture<> {
protected:
  const outbox_options outbox{.enabled = true, .broker_url = "http://broker/"};
};

TEST_P(Supervisor, EndsAllPartsWhenItIsDrainedAndGivesBackWhatTheyOwned) {
  {
    world<plain> app{file, book};
    app.start_relayer(outbox);
    book.failures_left = 99;
    app.start("plain", {"A"}, "A");
    app.advance(50ms);
    app.drain();
    app.settle();
    EXPECT_TRUE(app.has_ended());
    EXPECT_EQ(app.now(), 50ms);
    EXPECT_EQ(app.count("SELECT count(*) FROM worker_epochs"), 0);
    EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances WHERE owner_epoch IS NOT NULL"), 0);
    EXPECT_EQ(app.count("SELECT count(*) FROM outbox_events WHERE locked_by IS NOT NULL"), 0);
  }
  book.failures_left = 0;
  world<plain> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.now(), 100ms); // the time of its next attempt
  EXPECT_EQ(app.status("A"), instance_status::completed);
}

TEST_P(Supervisor, LetsNothingBeginWhileTheRelayerStillWaitsForAnAnswer) {
  world<plain> app{file, book};
  app.broker = [](int, auto&) { return broker_answer::held(); };
  app.start_relayer(outbox);
  book.failures_left = 99;
  app.start("plain", {"A"}, "A");
  ASSERT_TRUE(app.run_until([&] { return app.outstanding() == 1; }));
  app.settle();
  const auto lines = book.lines;
  ASSERT_EQ(lines, (names{"first", "flaky 1"})); // the next attempt is due in 100 ms
  app.drain();
  app.settle();
  app.db().session() << "INSERT INTO workflow_instances (instance_id, workflow_name, input_data, started_at) "
                        "VALUES ('B', 'plain', '[\"B\"]', '2026-01-01 00:00:00.000000')";
  const auto late = app.start("plain", {"C"}, "C");
  app.advance(3s);
  EXPECT_FALSE(app.has_ended());
  EXPECT_EQ(book.lines, lines);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances WHERE instance_id = 'B' AND owner_epoch IS NULL"), 1);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances WHERE instance_id = 'C'"), 0);
  EXPECT_FALSE(late->wait_for(0ms));
  app.answer(1);
  app.settle();
  EXPECT_TRUE(app.has_ended());
  EXPECT_EQ(app.count("SELECT count(*) FROM outbox_events WHERE status = 'published'"), 1);
  EXPECT_EQ(book.lines, lines);
}

TEST_P(Supervisor, LetsNoAttemptBeginThatWaitedForAnExecutor) {
  world<idle> app{file, book, {.executors = 1}};
  app.broker = [](int, auto&) { return broker_answer::held(); };
  app.insert_event("E-1");
  app.start_relayer(outbox);
  book.meanwhile = [&] {
    if (book.lines.size() > 1) return;
    app.settle(); // the attempts of the others arrive and wait
    app.drain();
    app.settle();
  };
  for (const auto* id : {"A", "B", "C"}) app.start("idle", {id}, id);
  ASSERT_TRUE(app.run_until([&] { return !book.lines.empty(); }));
  app.advance(1s);
  EXPECT_FALSE(app.has_ended());
  EXPECT_EQ(book.lines, names{"A"});
  EXPECT_EQ(app.history("A").size(), 1U); // what was under way has ended
}

/// Killed after the k-th message of the drain, for every k.
TEST_P(Supervisor, EndsWhicheverPartDiesWhileItIsDrained) {
  for (const auto* part : parts) {
    const int step = !is(database_url::backend::sqlite3) ? 9 : std::string{part} == "transaction_coordinator" ? 1 : 3;
    for (int k = 0;; k += step) {
      notebook paper;
      paper.failures_left = 99;
      world<plain> app{another(), paper};
      app.broker = [](int n, auto&) { return broker_answer{{202, ""}, n * 10ms}; };
      app.start_relayer(outbox);
      app.insert_event("E-1");
      app.insert_event("E-2");
      app.start("plain", {"A"}, "A");
      ASSERT_TRUE(app.run_until([&] { return app.outstanding() == 2; })) << part << ", k = " << k;
      app.drain();
      app.run_until([&] { return app.has_ended(); }, k);
      if (app.has_ended()) {
        EXPECT_GT(k, 10) << part;
        break;
      }
      app.kill(part);
      app.advance(5s); // a relayer waits no longer than a third of shutdown_timeout
      ASSERT_TRUE(app.has_ended()) << part << ", k = " << k;
    }
  }
}

TEST_P(Supervisor, EndsWhenItIsDrainedWhileAPartIsBeingStartedAgain) {
  for (const auto* part : parts) {
    for (int k = 0; k < 12; k += is(database_url::backend::sqlite3) ? 1 : 5) {
      world<plain> app{another(), book};
      app.start_relayer(outbox);
      app.advance(1ms);
      app.kill(part);
      app.run_until([] { return false; }, k);
      app.drain();
      app.advance(5s);
      ASSERT_TRUE(app.has_ended()) << part << ", k = " << k;
    }
  }
}

ROMANCY_ON_EVERY_DATABASE(Supervisor);

} // namespace
} // namespace romancy::testing
