#include "storage/unserved_instances.hpp"

#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace {

/// As `plain`.
constexpr auto renamed =
    workflow("renamed", [](workflow_context<first, flaky>& ctx, const std::string& id) -> task<std::string> {
      const auto output = co_await ctx.call<first>(id);
      const int attempts = co_await ctx.call<flaky>(id);
      const auto rows = co_await ctx.transaction([&](activity_context& tx) {
        write_row(tx, "inline " + id);
        return 7;
      });
      const nlohmann::json data{{"order_id", id}};
      const auto event = co_await send_event_transactional(ctx, "body.done", "test", data);
      co_return output + ' ' + std::to_string(attempts) + ' ' + std::to_string(rows) + ' ' + event;
    }).formerly("plain");

constexpr auto napping =
    workflow("napping", [](workflow_context<first>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.sleep_for(5min);
      const auto output = co_await ctx.call<first>(id);
      co_return output;
    });

const std::string reason = "no running app serves the workflow 'plain': start one that does, it then goes on by itself";

class Unserved : public workflow_fixture<> {
protected:
  /// An app that does not serve `plain`.
  static constexpr auto grace = 1min;
  class stranger : public world<saga> {
  public:
    stranger(const std::string& database, notebook& paper, app_options options = {.unserved_grace = grace})
        : world{database, paper, std::move(options)} {}
  };

  static bool is_marked(simulation& app, const std::string& id = "A") {
    return app.count("SELECT count(*) FROM workflow_instances WHERE unserved_since IS NOT NULL AND instance_id = '" + id +
                     '\'') == 1;
  }
  bool parks(simulation& app, const std::string& id = "A") {
    return app.run_until([&] { return app.instance(id).status == instance_status::parked; });
  }
  static void passes(simulation& app, std::chrono::milliseconds time) {
    const auto end = app.now() + time;
    ASSERT_TRUE(app.run_until([&] { return app.now() >= end; }, 10'000'000));
  }
  /// Also if it is parked now.
  bool goes_on_to_its_end(simulation& app) {
    return app.run_until([&] {
      const auto status = app.instance("A").status;
      return is_settled(status) && status != instance_status::parked;
    });
  }
  /// The row of an app in another process.
  static void add_app(simulation& app, const std::string& workflows) {
    app.db().session()
        << "INSERT INTO worker_epochs (epoch, worker_id, host, process, started_at, expires_at, workflows) "
           "VALUES ('other', 'w', 'elsewhere', '1:1', '2026-01-01 00:00:00', '2027-01-01 00:00:00', " +
               workflows + ')';
  }
  static void end_app(simulation& app) { app.db().session() << "DELETE FROM worker_epochs WHERE epoch = 'other'"; }
  /// It is parked by an app that does not serve it.
  void park_plain() {
    kill_after<plain>(1);
    stranger app{file, book};
    ASSERT_TRUE(parks(app));
  }
  void expect_completed(simulation& app) {
    EXPECT_EQ(app.instance("A").output, R"("F-A 1 7 A/@send_event:1")");
    EXPECT_EQ(app.instance("A").error, "");
    EXPECT_EQ(std::count(book.lines.begin(), book.lines.end(), "first"), 1);
    EXPECT_EQ(
        app.count("SELECT count(*) FROM workflow_instances WHERE park_reason IS NOT NULL OR parked_from IS NOT NULL "
                  "OR unserved_since IS NOT NULL"),
        0);
  }
};

TEST_P(Unserved, IsParkedAfterTheGraceTimeAndSaysWhatIsMissing) {
  kill_after<plain>(1);
  const auto hooks = std::make_shared<recording_hooks>();
  stranger app{file, book, {.hooks = hooks, .unserved_grace = grace}};
  ASSERT_TRUE(app.run_until([&] { return is_marked(app); }));
  const auto seen = app.now();
  EXPECT_EQ(app.status("A"), instance_status::running);
  ASSERT_TRUE(parks(app));
  EXPECT_GE(app.now() - seen, grace);
  EXPECT_LE(app.now() - seen, grace + 10s);
  EXPECT_EQ(app.instance("A").error, reason);
  app.settle();
  EXPECT_TRUE(hooks->said("parked A: " + reason));
}

TEST_P(Unserved, GoesOnByItselfOnceAnAppServesItsWorkflow) {
  park_plain();
  world<plain> app{file, book};
  ASSERT_TRUE(goes_on_to_its_end(app));
  EXPECT_LT(app.now(), 1s);
  EXPECT_EQ(app.status("A"), instance_status::completed);
  EXPECT_EQ(app.rows(), (names{"first A", "flaky A", "inline A"}));
  expect_completed(app);
}

TEST_P(Unserved, GoesOnUnderANewNameOfItsWorkflow) {
  park_plain();
  world<renamed> app{file, book};
  ASSERT_TRUE(goes_on_to_its_end(app));
  EXPECT_EQ(app.status("A"), instance_status::completed);
  expect_completed(app);
}

TEST_P(Unserved, GoesOnUndoingWhereItWasParked) {
  {
    world<saga> app{file, book};
    app.start("saga", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.status("A") == instance_status::compensating; }));
    app.crash();
  }
  {
    world<plain> app{file, book, {.unserved_grace = grace}};
    ASSERT_TRUE(parks(app));
  }
  world<saga> app{file, book};
  ASSERT_TRUE(goes_on_to_its_end(app));
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_EQ(app.instance("A").error, "doomed:1 failed after 1 attempt: there is no way");
  EXPECT_EQ(app.rows(), (names{"first A", "second A", "undo second A", "undo first F-A"}));
}

/// Parked for another reason it waits for an operator.
TEST_P(Unserved, LeavesInstancesParkedThatCodeAndHistoryDisagreeOn) {
  park_plain();
  {
    world<changed::plain> app{file, book};
    ASSERT_TRUE(app.run_until([&] { return app.instance("A").fence == 2; }));
    ASSERT_TRUE(app.ends("A"));
    ASSERT_EQ(app.status("A"), instance_status::parked);
  }
  {
    stranger app{file, book};
    passes(app, 2 * grace);
  }
  world<plain> app{file, book};
  passes(app, 2 * grace);
  EXPECT_EQ(app.status("A"), instance_status::parked);
}

TEST_P(Unserved, IsNotParkedWhileAnotherAppServesIt) {
  kill_after<plain>(1);
  stranger app{file, book};
  add_app(app, "'saga plain '");
  passes(app, 2 * grace);
  EXPECT_EQ(app.status("A"), instance_status::running);
  EXPECT_FALSE(is_marked(app));
  end_app(app);
  const auto ended = app.now();
  ASSERT_TRUE(parks(app));
  EXPECT_GE(app.now() - ended, grace);
}

/// A deployment that takes a moment costs nothing of the grace time of the next one.
TEST_P(Unserved, IsGivenTheWholeGraceTimeEachTime) {
  kill_after<plain>(1);
  stranger app{file, book};
  ASSERT_TRUE(app.run_until([&] { return is_marked(app); }));
  passes(app, grace / 2);
  add_app(app, "'plain '");
  passes(app, 20s);
  EXPECT_FALSE(is_marked(app));
  end_app(app);
  const auto ended = app.now();
  ASSERT_TRUE(parks(app));
  EXPECT_GE(app.now() - ended, grace);
}

TEST_P(Unserved, IsNotParkedWhileAnOlderProgramRunsThatDoesNotSayWhatItServes) {
  kill_after<plain>(1);
  stranger app{file, book};
  add_app(app, "NULL");
  passes(app, 2 * grace);
  EXPECT_EQ(app.status("A"), instance_status::running);
  end_app(app);
  EXPECT_TRUE(parks(app));
}

TEST_P(Unserved, CountsTheGraceTimeOverRestarts) {
  kill_after<plain>(1);
  auto at = 0ms;
  for (int lives = 0; lives < 4; ++lives) {
    simulation app{file, {.unserved_grace = grace}, definitions<saga>(), dependencies<saga>(book), {.at = at}};
    if (lives == 3) {
      ASSERT_TRUE(parks(app));
      at = app.now();
    } else {
      passes(app, 25s);
      ASSERT_EQ(app.instance("A").status, instance_status::running);
      at = app.now();
      app.crash();
    }
  }
  EXPECT_LT(at, 2 * grace);
}

TEST_P(Unserved, IsParkedByAnAppThatServesNothing) {
  kill_after<plain>(1);
  simulation app{file, {.unserved_grace = grace}};
  EXPECT_TRUE(parks(app));
}

TEST_P(Unserved, IsNeverParkedWithoutAGraceTime) {
  kill_after<plain>(1);
  {
    stranger app{file, book, {.unserved_grace = 0ms}};
    passes(app, 5min);
    EXPECT_EQ(app.status("A"), instance_status::running);
    EXPECT_FALSE(is_marked(app));
  }
  world<plain> app{file, book};
  ASSERT_TRUE(goes_on_to_its_end(app));
  expect_completed(app);
}

TEST_P(Unserved, IsParkedNoSoonerThanItIsDue) {
  {
    world<napping> app{file, book};
    app.start("napping", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.instance("A").owner_epoch.empty() && app.instance("A").fence == 1; }));
    app.drain();
    app.settle();
  }
  stranger app{file, book};
  passes(app, 5min - 1s);
  EXPECT_EQ(app.status("A"), instance_status::running);
  EXPECT_FALSE(is_marked(app));
  ASSERT_TRUE(parks(app));
  EXPECT_GE(app.now(), 5min + grace);
}

/// The function does not run again: what it had done is undone.
TEST_P(Unserved, IsCancelledOnceItIsServedWheneverThatWasAskedFor) {
  for (const bool parked : {false, true}) {
    SCOPED_TRACE(parked ? "after it was parked" : "before");
    const auto path = another();
    notebook paper;
    {
      world<patient> app{path, paper};
      paper.failures_left = 1;
      app.start("patient", {"A"}, "A");
      ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 2; }));
      app.crash();
    }
    {
      world<plain> app{path, paper, {.unserved_grace = grace}};
      ASSERT_TRUE(app.run_until([&] { return parked ? app.status("A") == instance_status::parked : is_marked(app); }));
      const auto slot = app.cancel("A", "not worth it");
      app.settle();
      ASSERT_TRUE(slot->wait_for(0ms)->accepted);
      passes(app, 2 * grace);
      EXPECT_EQ(app.status("A"), instance_status::parked);
    }
    world<patient> app{path, paper};
    ASSERT_TRUE(goes_on_to_its_end(app));
    EXPECT_EQ(app.status("A"), instance_status::cancelled);
    EXPECT_EQ(app.instance("A").error, "not worth it");
    EXPECT_EQ(app.rows(), (names{"first A", "second A", "undo second A", "undo first F-A"}));
  }
}

TEST_P(Unserved, IsGivenTheGraceTimeAgainWhenItIsResumed) {
  park_plain();
  stranger app{file, book};
  app.db().begin();
  ASSERT_EQ(instance_table{app.db()}.resume("A", ""), 1);
  app.db().commit();
  EXPECT_EQ(app.status("A"), instance_status::running);
  const auto resumed = app.now();
  ASSERT_TRUE(parks(app));
  EXPECT_GE(app.now() - resumed, grace);
}

/// Which then has begun before the other one's commit, and has not seen it.
TEST_P(Unserved, GoesOnAlsoWhenItIsParkedWhileAnAppBegins) {
  park_plain();
  world<plain> app{file, book, {.max_running_instances = 1}};
  app.db().session() << "UPDATE workflow_instances SET unserved_since = NULL"; // not to be seen yet
  app.advance(100ms);
  ASSERT_EQ(app.status("A"), instance_status::parked);
  app.db().session() << "UPDATE workflow_instances SET unserved_since = '2026-01-01 00:00:00'";
  ASSERT_TRUE(goes_on_to_its_end(app));
  EXPECT_LT(app.now(), 70s);
  EXPECT_EQ(app.status("A"), instance_status::completed);
  expect_completed(app);
}

TEST_P(Unserved, AreParkedAndGoOnInSmallTransactions) {
  {
    world<plain> app{file, book, {.unserved_grace = grace}};
    app.settle();
    app.db().begin();
    for (int i = 0; i < 1100; ++i) {
      const auto id = "B" + std::to_string(i);
      app.db().session() << "INSERT INTO workflow_instances (instance_id, workflow_name, input_data, started_at) "
                            "VALUES (:id, 'napping', '[\"B\"]', '2026-01-01 00:00:00.000000')",
          soci::use(id);
    }
    app.db().commit();
    const auto parked = [&] { return app.count("SELECT count(*) FROM workflow_instances WHERE status = 'parked'"); };
    long long largest = 0, before = 0;
    auto looked = app.now();
    ASSERT_TRUE(app.run_until([&] {
      if (std::exchange(looked, app.now()) == app.now()) return false; // one transaction at a time
      const auto now = parked();
      largest = std::max(largest, now - before);
      before = now;
      return now == 1100;
    }));
    EXPECT_EQ(largest, 500);
  }
  world<napping> app{file, book, {.max_running_instances = 1}};
  int steps = 0;
  ASSERT_TRUE(app.run_until([&] {
    return ++steps % 100 == 0 && app.count("SELECT count(*) FROM workflow_instances WHERE status = 'parked'") == 0;
  }));
  EXPECT_LT(app.now(), 30s);
}

/// Killed after the k-th message, for every k (on servers for every seventh), while it is parked; then while it goes on.
TEST_P(Unserved, LosesAndRepeatsNothingWhateverMessageIsTheLast) {
  const int step = is(database_url::backend::sqlite3) ? 1 : 7;
  for (const bool going_on : {false, true}) {
    bool done = false;
    for (int k = 0; !done && !HasFailure(); k += step) {
      SCOPED_TRACE((going_on ? "going on, k = " : "parking, k = ") + std::to_string(k));
      const auto path = another();
      notebook paper;
      {
        world<plain> app{path, paper};
        app.start("plain", {"A"}, "A");
        ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 1; }));
        app.crash();
      }
      const auto leave = [&](auto& app) {
        app.run_until([] { return false; }, k);
        done = going_on ? is_settled(app.status("A")) && app.status("A") != instance_status::parked
                        : app.status("A") == instance_status::parked;
        app.crash();
      };
      {
        stranger app{path, paper, {.unserved_grace = 20s}};
        ASSERT_TRUE(app.run_until([&] { return is_marked(app); }));
        if (going_on)
          ASSERT_TRUE(parks(app));
        else
          passes(app, 19s);
        if (!going_on) leave(app);
      }
      if (going_on) {
        world<plain> app{path, paper};
        leave(app);
      }
      world<plain> app{path, paper};
      ASSERT_TRUE(goes_on_to_its_end(app)) << app.instance("A").error;
      ASSERT_EQ(app.status("A"), instance_status::completed) << app.instance("A").error;
      EXPECT_EQ(app.rows(), (names{"first A", "flaky A", "inline A"}));
    }
    EXPECT_TRUE(done);
  }
}

class UnservedOnServers : public Unserved {};

TEST_P(UnservedOnServers, CostAnIdleAppOneStatementAMinute) {
  world<saga> app{file, book}; // with the grace time by default
  app.advance(1s);
  int looks = 0, others = 0;
  app.on_statement = [&](database&, std::string_view sql) {
    if (sql.find("unserved_since") != std::string_view::npos) ++looks;
    if (sql.find("SELECT workflows FROM worker_epochs") != std::string_view::npos) ++others;
  };
  passes(app, 10min);
  EXPECT_LE(looks, 10);
  EXPECT_GE(looks, 8);
  EXPECT_EQ(others, 0);
}

ROMANCY_ON_EVERY_DATABASE(Unserved);
ROMANCY_ON_EVERY_SERVER(UnservedOnServers);

} // namespace
} // namespace romancy::testing
