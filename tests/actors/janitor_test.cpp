#include <set>

#include <gtest/gtest.h>

#include "storage/timestamp.hpp"
#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace {

class Janitor : public workflow_fixture<> {
protected:
  static app_options keeping(retention_options retention) { return {.retention = retention}; }
  static constexpr auto instances_left = "SELECT count(*) FROM workflow_instances";
  static constexpr auto events_left = "SELECT count(*) FROM outbox_events";

  /// Completed instances without events of their own, that ended so long ago.
  static void insert_finished(simulation& app, int count, std::chrono::milliseconds age,
                              const std::string& prefix = "old") {
    const auto time = to_text(app.wall() - age);
    app.db().begin();
    for (int i = 0; i < count; ++i) {
      const auto id = prefix + '-' + std::to_string(i);
      app.db().session() << "INSERT INTO workflow_instances (instance_id, workflow_name, status, input_data, started_at, "
                            "finished_at) VALUES (:id, 'plain', 'completed', '[]', :started, :finished)",
          soci::use(id), soci::use(time), soci::use(time);
      app.db().session() << "INSERT INTO workflow_history (instance_id, activity_id, position, event_type, event_data, "
                            "created_at) VALUES (:id, 'first:1', 1, 'ActivityCompleted', '1', :time)",
          soci::use(id), soci::use(time);
    }
    app.db().commit();
  }
};

TEST_P(Janitor, IsNotThereWhenEverythingIsKeptForEver) {
  world<plain> app{file, book, {.retention = {.inbox = 0ms}}};
  app.settle();
  EXPECT_TRUE(app.roster().get("dispatcher"));
  EXPECT_FALSE(app.roster().get("janitor"));
  insert_finished(app, 3, 1000h);
  app.advance(5min);
  EXPECT_EQ(app.count(instances_left), 3);
}

TEST_P(Janitor, RemovesAnInstanceOnceItIsOldEnoughAndItsEventsAreDelivered) {
  world<plain> app{file, book, keeping({.finished_instances = 1h, .interval = 10min})};
  app.start("plain", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_EQ(app.status("A"), instance_status::completed);
  // Virtual time passes in ticks: the clock of the test is moved, and the timers fire by it.
  app.pass(2h);
  app.advance(20s);
  EXPECT_EQ(app.count(instances_left), 1); // its events are pending
  app.start_relayer({.enabled = true, .broker_url = "http://broker/"});
  app.advance(2s);
  ASSERT_EQ(app.count("SELECT count(*) FROM outbox_events WHERE status = 'pending'"), 0);
  app.pass(20min);
  app.advance(20s);
  EXPECT_EQ(app.count(instances_left), 0);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_history"), 0);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_compensations"), 0);
  EXPECT_EQ(app.count(events_left), 4); // delivered_events is 0
  app.start("plain", {"A"}, "A");       // anew
  EXPECT_TRUE(app.ends("A"));
}

TEST_P(Janitor, KeepsWhatIsNotOldEnoughAndLooksAgainAndAgain) {
  world<plain> app{file, book, keeping({.finished_instances = 1min, .interval = 1s})};
  app.settle();
  insert_finished(app, 2, 50s, "young");
  insert_finished(app, 2, 2min, "old");
  app.advance(2s);
  EXPECT_EQ(app.count(instances_left), 2);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances WHERE instance_id LIKE 'young%'"), 2);
  app.advance(10s);
  EXPECT_EQ(app.count(instances_left), 0);
}

TEST_P(Janitor, RemovesDeliveredEventsButNeitherPendingNorDeadOnes) {
  world<plain> app{file, book, keeping({.delivered_events = 1s, .interval = 1s})};
  app.broker = [](int n, auto&) { return http_response{n == 1 ? 202 : n == 2 ? 400 : 503, ""}; };
  for (const auto* id : {"delivered", "refused", "retried"}) app.insert_event(id);
  app.start_relayer({.enabled = true, .broker_url = "http://broker/", .max_retries = 1000});
  app.advance(5s);
  EXPECT_EQ(app.count(events_left), 2);
  EXPECT_EQ(app.event_state("refused"), "invalid 0");
  EXPECT_EQ(app.text("SELECT status FROM outbox_events WHERE event_id = 'retried'"), "pending");
}

TEST_P(Janitor, RemovesDeadEventsOnlyWhenToldSo) {
  world<plain> app{file, book, keeping({.dead_events = 1s, .interval = 1s})};
  app.broker = [](int n, auto&) { return http_response{n == 1 ? 202 : 400, ""}; };
  for (const auto* id : {"delivered", "refused"}) app.insert_event(id);
  app.start_relayer({.enabled = true, .broker_url = "http://broker/"});
  app.advance(5s);
  EXPECT_EQ(app.event_state("delivered"), "published 0");
  EXPECT_EQ(app.count(events_left), 1);
}

TEST_P(Janitor, RemovesABacklogInSmallTransactionsAndLetsOthersHaveTheirTurnBetweenThem) {
  world<plain> app{file, book, keeping({.finished_instances = 1min, .interval = 1s, .batch = 10})};
  app.settle();
  insert_finished(app, 95, 2min);
  ASSERT_TRUE(app.run_until([&] { return app.count(instances_left) < 95; }));
  EXPECT_EQ(app.count(instances_left), 85);
  const auto began = app.now();
  app.start("plain", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_GT(app.count(instances_left), 60); // it did not wait for the backlog
  ASSERT_TRUE(app.run_until([&] { return app.count(instances_left) == 1; }));
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_history WHERE instance_id <> 'A'"), 0);
  EXPECT_GE(app.now() - began, 80ms); // 8 more, with 10 ms before each
  EXPECT_LT(app.now() - began, 500ms);
}

TEST_P(Janitor, OfSeveralProcessesDoesNoHarm) {
  const auto options = keeping({.finished_instances = 1min, .interval = 1s, .batch = 3});
  world<plain> one{file, book, options};
  world<plain> two{file, book, options};
  one.settle();
  two.settle();
  insert_finished(one, 40, 2min);
  for (int i = 0; i < 200 && one.count(instances_left) > 0; ++i) {
    one.advance(20ms);
    two.advance(20ms);
  }
  EXPECT_EQ(one.count(instances_left), 0);
  EXPECT_EQ(one.count("SELECT count(*) FROM workflow_history"), 0);
  for (const auto* app : {&one, &two})
    for (const auto& part : const_cast<world<plain>*>(app)->health().read().parts)
      EXPECT_EQ(part.restarts, 0) << part.name;
}

TEST_P(Janitor, GoesOnAfterItsCoordinatorWasKilledAndAfterItself) {
  world<plain> app{file, book, keeping({.finished_instances = 1min, .interval = 1s, .batch = 10})};
  app.settle();
  insert_finished(app, 30, 2min);
  ASSERT_TRUE(app.run_until([&] { return app.count(instances_left) == 20; }));
  app.kill("transaction_coordinator");
  ASSERT_TRUE(app.run_until([&] { return app.count(instances_left) == 10; }));
  app.kill("janitor");
  ASSERT_TRUE(app.run_until([&] { return app.count(instances_left) == 0; }));
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_history"), 0);
}

TEST_P(Janitor, LosesNoInstanceByHalvesWhereverTheProcessIsKilled) {
  std::set<long long> seen;
  for (int steps = 1; steps < 400; ++steps) {
    const auto fresh_file = another();
    world<plain> app{fresh_file, book, keeping({.finished_instances = 1min, .interval = 1ms, .batch = 2})};
    app.run_until([&] { return static_cast<bool>(app.roster().get("janitor")); });
    insert_finished(app, 4, 2min);
    const bool all_done = app.run_until([&] { return app.count(instances_left) == 0; }, steps);
    app.crash();
    EXPECT_EQ(app.count(instances_left), app.count("SELECT count(*) FROM workflow_history")) << steps;
    seen.insert(app.count(instances_left));
    if (all_done) break;
  }
  EXPECT_EQ(seen, (std::set<long long>{0, 2, 4}));
}

TEST_P(Janitor, EndsWithTheApp) {
  world<plain> app{file, book, keeping({.delivered_events = 1s})};
  app.settle();
  ASSERT_TRUE(app.roster().get("janitor"));
  app.drain();
  EXPECT_TRUE(app.run_until([&] { return app.has_ended(); }));
}

ROMANCY_ON_EVERY_DATABASE(Janitor);

} // namespace
} // namespace romancy::testing
