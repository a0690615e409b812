// Defects that comparable systems have, or had: each test fails where we have it too. docs/known-defects.md lists these
// and the tests elsewhere.
#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace {

constexpr auto jot =
    activity("jot", [](activity_context& ctx, const std::string& text) -> void { write_row(ctx, text); });

class KnownDefects : public workflow_fixture<> {
protected:
  static void passes(simulation& app, std::chrono::milliseconds time) {
    const auto end = app.now() + time;
    ASSERT_TRUE(app.run_until([&] { return app.now() >= end; }, 10'000'000));
  }
  /// As an activity in another process, which commits as soon as no lock of the app is in its way.
  static void publish(simulation& app, const std::string& channel, const nlohmann::json& data) {
    received_event message;
    message.id = "m";
    message.source = "elsewhere";
    message.type = channel;
    message.data = data;
    if (app.db().dialect().one_writer) app.db().session() << "PRAGMA busy_timeout = 0";
    for (bool published = false; !published;) try {
        app.db().begin();
        channel_table{app.db()}.publish(channel, nlohmann::json(message).dump(), app.wall());
        app.db().commit();
        published = true;
      } catch (const storage_failure& e) {
        app.db().roll_back();
        ASSERT_TRUE(e.retryable() && app.step()) << e.what();
      }
  }
  static void end_in_order(simulation& app) {
    app.drain();
    app.settle();
    ASSERT_TRUE(app.has_ended());
  }
};

// -- continue as new ----------------------------------------------------------------------------------------------------

constexpr auto monthly =
    workflow("monthly", [](workflow_context<first, doomed>& ctx, const std::string& id, int run) -> task<int> {
      co_await ctx.call<first>(id + std::to_string(run));
      co_await ctx.sleep_for(1min);
      if (run == 2) co_await ctx.call<doomed>();
      co_return co_await ctx.recur(id, run + 1);
    });

/// The new run had the old input after a crash, and compensations of the old run were carried out in the new one.
TEST_P(KnownDefects, RecurWithTheOldInputAndTheOldCompensations) {
  {
    world<monthly> app{file, book};
    app.start("monthly", {"A", 1}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.instance("A").run == 2; }));
    app.crash();
  }
  world<monthly> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").input, R"(["A",2])");
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_EQ(app.rows(), (names{"first A1", "first A2", "undo first F-A2"}));
}

// -- waiting ------------------------------------------------------------------------------------------------------------

constexpr auto two_sleeps = workflow("two_sleeps", [](workflow_context<>& ctx) -> task<std::string> {
  const auto begun = ctx.now();
  co_await ctx.sleep_until(begun + 1min);
  co_await ctx.sleep_for(2min);
  const auto slept = std::chrono::duration_cast<std::chrono::seconds>(ctx.now() - begun).count();
  co_return std::to_string(slept);
});

/// sleep_until took no position in history once it had fired: on replay the next sleep took it for its own.
TEST_P(KnownDefects, SecondSleepLostOnReplay) {
  auto at = 0ms;
  for (const auto& life : {30s, 90s}) {
    simulation app{file, {}, definitions<two_sleeps>(), {}, {.at = at}};
    if (at == 0ms) app.start("two_sleeps", nlohmann::json::array(), "A");
    passes(app, life);
    at = app.now();
    app.crash();
  }
  simulation app{file, {}, definitions<two_sleeps>(), {}, {.at = at}};
  ASSERT_TRUE(app.run_until([&] { return app.instance("A").status == instance_status::completed; }));
  EXPECT_EQ(app.instance("A").output, R"("180")");
  EXPECT_EQ(app.now(), 3min);
}

constexpr auto listening = workflow("listening", [](workflow_context<>& ctx) -> task<std::string> {
  co_await ctx.subscribe("news");
  const auto one = co_await ctx.receive<std::string>("news");
  const auto two = co_await ctx.receive<std::string>("news");
  co_return one + ' ' + two;
});

/// "There is no message" and "I am waiting" were two statements: a message in between woke nobody, and the one after it
/// made the receiver pass over it. Here another process commits it after the k-th message, for every k.
TEST_P(KnownDefects, WakeUpLostBetweenLookingAndWaiting) {
  const int step = is(database_url::backend::sqlite3) ? 1 : 5;
  bool idle = false;
  for (int k = 0; !idle && !HasFailure(); k += step) {
    SCOPED_TRACE(k);
    const auto path = another();
    world<listening> app{path, book};
    app.start("listening", nlohmann::json::array(), "A");
    ASSERT_TRUE(app.run_until([&] { return app.count("SELECT count(*) FROM channel_subscriptions") == 1; }));
    int steps = 0;
    while (steps < k && app.step()) ++steps;
    idle = steps < k;
    for (const auto* text : {"one", "two"}) publish(app, "news", text);
    ASSERT_TRUE(app.ends("A"));
    EXPECT_LE(app.now(), 5s); // which is how seldom an idle app looks
    EXPECT_EQ(app.instance("A").output, R"("one two")");
  }
}

constexpr auto stoker = workflow("stoker", [](workflow_context<jot>& ctx, int count) -> task<std::string> {
  co_await ctx.subscribe("jobs", channel_mode::competing);
  for (int i = 0; i < count; ++i) {
    const auto job = co_await ctx.receive<int>("jobs");
    co_await ctx.call<jot>(std::to_string(job));
  }
  co_return "done";
});

/// A claim hid no message from others, what was received came again, and the second receive recursed without end.
TEST_P(KnownDefects, CompetingReceiversThatGetTheSameMessages) {
  world<stoker> app{file, book};
  for (const auto* id : {"A", "B", "C"}) app.start("stoker", {10}, id);
  app.advance(50ms);
  for (int i = 10; i < 40; ++i) {
    publish(app, "jobs", i);
    if (i % 3 == 0) app.run_until([] { return false; }, i);
  }
  for (const auto* id : {"A", "B", "C"}) ASSERT_TRUE(app.ends(id)) << id;
  auto jobs = app.rows();
  std::sort(jobs.begin(), jobs.end());
  ASSERT_EQ(jobs.size(), 30U);
  EXPECT_EQ(std::unique(jobs.begin(), jobs.end()), jobs.end());
  EXPECT_EQ(app.count("SELECT count(*) FROM channel_messages"), 0);
}

constexpr auto town_crier = workflow("town_crier", [](workflow_context<>& ctx) -> task<std::string> {
  co_await ctx.publish("news", "all");
  co_await ctx.send_to("B", "news", "one");
  for (int i = 0; i < 3; ++i) co_await ctx.sleep_for(1min);
  co_return "said";
});

/// Each replay published and sent again, under a new id each time.
TEST_P(KnownDefects, PublishInTheBodyRepeatedByReplay) {
  const auto hooks = std::make_shared<recording_hooks>();
  world<town_crier> app{file, book, {.hooks = hooks}};
  app.db().begin();
  ASSERT_TRUE(instance_table{app.db()}.insert(
      [] {
        instance_record other;
        other.instance_id = "B";
        other.workflow = "elsewhere";
        other.input = "[]";
        return other;
      }(),
      "", app.wall()));
  app.db().session() << "INSERT INTO channels (channel, mode) VALUES ('news', 'broadcast')";
  app.db().session() << "INSERT INTO channel_subscriptions (channel, instance_id) VALUES ('news', 'B')";
  app.db().commit();
  app.start("town_crier", nlohmann::json::array(), "A");
  ASSERT_TRUE(app.ends("A"));
  app.settle();
  ASSERT_EQ(std::count_if(hooks->lines.begin(), hooks->lines.end(),
                          [](const std::string& line) { return line.starts_with("replay A"); }),
            3);
  EXPECT_EQ(app.count("SELECT count(*) FROM channel_messages WHERE instance_id = 'B'"), 2);
}

/// Old messages were removed by their age, whether they had been read or not.
TEST_P(KnownDefects, UnreadMessagesRemovedByAge) {
  world<listening, stoker> app{file, book, {.retention = {.inbox = 1min, .interval = 1min}}};
  app.start("listening", nlohmann::json::array(), "A");
  app.advance(50ms);
  publish(app, "news", "one");
  app.advance(50ms);
  app.crash();
  {
    simulation other{file, {.retention = {.inbox = 1min, .interval = 1min}}}; // serves nothing, and removes
    publish(other, "news", "two");
    other.db().begin();
    inbox_table{other.db()}.insert("s", "1", "t", other.wall());
    other.db().commit();
    passes(other, 5min);
    EXPECT_EQ(other.count("SELECT count(*) FROM inbox_events"), 0); // it has removed
  }
  world<listening, stoker> again{file, book};
  ASSERT_TRUE(again.run_until([&] { return again.status("A") == instance_status::completed; }));
  EXPECT_EQ(again.instance("A").output, R"("one two")");
}

// -- fleets -------------------------------------------------------------------------------------------------------------

constexpr auto minute = workflow("minute", [](workflow_context<>& ctx) -> task<int> {
  co_await ctx.sleep_for(1min);
  co_return 1;
});

constexpr auto ten_ticks = workflow("ten_ticks", [](workflow_context<>& ctx) -> task<int> {
  int sum = 0;
  for (int i = 0; i < 10; ++i) {
    const int tick = co_await ctx.wait_event<int>("tick");
    sum += tick;
  }
  co_return sum;
});

/// On MySQL to take one's own lock again within a second changed no row, and that counted as a failure: the instance hung
/// until the lock had expired. Here it is given up and taken again ten times without any time passing.
TEST_P(KnownDefects, LockTakenAgainWithinTheSameSecond) {
  world<ten_ticks> app{file, book};
  app.start("ten_ticks", nlohmann::json::array(), "A");
  app.settle();
  for (int i = 1; i <= 10; ++i) {
    app.receive("tick", i, "A");
    app.settle();
  }
  EXPECT_EQ(app.instance("A").output, "55");
  EXPECT_EQ(app.instance("A").fence, 11);
  EXPECT_EQ(app.now(), 0ms);
}

/// Only one elected process fired timers: none of workflows that it did not know.
TEST_P(KnownDefects, TimersOfWorkflowsThatTheFirstAppDoesNotKnow) {
  world<saga> older{file, book, {.worker_lease = 2h}};
  older.advance(1s);
  world<minute> app{file, book, {.worker_lease = 2h}};
  app.start("minute", nlohmann::json::array(), "A");
  for (int i = 0; i < 13; ++i) {
    passes(app, 5s);
    passes(older, 5s);
  }
  EXPECT_EQ(app.status("A"), instance_status::completed);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances WHERE finished_at = '2026-01-01 00:01:00.000000'"), 1);
}

/// Who fired timers kept its lock when it was stopped: at each deployment timers stood still until that had expired.
TEST_P(KnownDefects, TimersThatStandStillAfterADeployment) {
  auto at = 0ms;
  {
    simulation app{file, {}, definitions<minute>()};
    app.start("minute", nlohmann::json::array(), "A");
    passes(app, 1min - 100ms);
    at = app.now();
    end_in_order(app);
  }
  simulation app{file, {}, definitions<minute>(), {}, {.at = at}};
  ASSERT_TRUE(app.run_until([&] { return app.instance("A").status == instance_status::completed; }));
  EXPECT_EQ(app.now(), 1min);
}

/// The oldest hundred rows were looked at, also of workflows that nobody here knew: then there was room for no other.
TEST_P(KnownDefects, HeadOfLineOfInstancesThatNobodyKnows) {
  world<plain> app{file, book};
  app.settle();
  app.db().begin();
  for (int i = 0; i < 300; ++i) {
    const auto id = "B" + std::to_string(i);
    app.db().session() << "INSERT INTO workflow_instances (instance_id, workflow_name, input_data, started_at) "
                          "VALUES (:id, 'unknown', '[]', '2025-01-01 00:00:00.000000')",
        soci::use(id);
  }
  app.db().session() << "INSERT INTO workflow_instances (instance_id, workflow_name, input_data, started_at) "
                        "VALUES ('A', 'plain', '[\"A\"]', '2026-01-01 00:00:00.000000')";
  app.db().commit();
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::completed);
  EXPECT_LT(app.now(), 5s);
}

// -- code and history ---------------------------------------------------------------------------------------------------

constexpr auto today = workflow("w", [](workflow_context<jot>& ctx) -> task<std::string> {
  co_await ctx.call<jot>("one");
  const auto event = co_await ctx.wait_event<std::string>("go", 1min);
  co_return event ? *event : "nothing";
});
constexpr auto tomorrow = workflow("w", [](workflow_context<jot, first>& ctx) -> task<std::string> {
  co_await ctx.call<first>("A");
  co_await ctx.call<jot>("one");
  co_return "other";
});

/// The version of the code was compared on one of the ways on which an instance is taken up, not on the others.
TEST_P(KnownDefects, OtherCodeThatIsNoticedOnOneWayOnly) {
  for (const std::string way : {"the process was killed", "an event comes", "its time comes", "it is started again"}) {
    SCOPED_TRACE(way);
    const auto path = another();
    {
      world<today> app{path, book};
      app.start("w", nlohmann::json::array(), "A");
      ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 1; }));
      if (way == "the process was killed") {
        app.crash();
      } else {
        app.advance(1s);
        end_in_order(app);
      }
    }
    world<tomorrow> app{path, book};
    app.advance(1ms);
    if (way == "an event comes") app.receive("go", "on", "A");
    if (way == "it is started again") app.start("w", nlohmann::json::array(), "A");
    ASSERT_TRUE(app.ends("A"));
    EXPECT_EQ(app.status("A"), instance_status::parked);
    EXPECT_EQ(app.rows(), names{"one"});
  }
}

// -- what it costs ------------------------------------------------------------------------------------------------------

constexpr auto brisk = workflow("brisk", [](workflow_context<jot>& ctx) -> task<std::string> {
  for (int i = 0; i < 20; ++i) {
    co_await ctx.call<jot>("step");
    co_await ctx.sleep_for(100ms);
  }
  const auto event = co_await ctx.wait_event<std::string>("go");
  co_return event;
});

/// Each step and each wake-up loaded the whole history and ran over it.
TEST_P(KnownDefects, ReplayOfAllHistoryAtEachWakeUp) {
  const auto hooks = std::make_shared<recording_hooks>();
  const auto replays = [&] {
    return std::count_if(hooks->lines.begin(), hooks->lines.end(),
                         [](const std::string& line) { return line.starts_with("replay"); });
  };
  world<brisk> app{file, book, {.hooks = hooks}};
  app.start("brisk", nlohmann::json::array(), "A");
  app.advance(3s);
  EXPECT_EQ(app.history("A").size(), 40U);
  EXPECT_EQ(replays(), 0);
  app.receive("go", "on", "A");
  ASSERT_TRUE(app.ends("A"));
  app.settle();
  EXPECT_EQ(app.instance("A").output, R"("on")");
  EXPECT_LE(replays(), 1);
}

constexpr auto nothing = workflow("nothing", [](workflow_context<>&, int n) -> task<int> { co_return n; });

class KnownDefectsOnServers : public KnownDefects {};

/// A workflow without steps took nine commits.
TEST_P(KnownDefectsOnServers, NineCommitsForAnEmptyWorkflow) {
  world<nothing> app{file, book};
  app.advance(500ms);
  int commits = 0;
  app.on_statement = [&](database&, std::string_view sql) { commits += sql == "COMMIT" ? 1 : 0; };
  app.start("nothing", {1}, "A");
  app.advance(20ms);
  ASSERT_EQ(app.status("A"), instance_status::completed);
  EXPECT_LE(commits, 2);
  EXPECT_GT(commits, 0);
}

ROMANCY_ON_EVERY_DATABASE(KnownDefects);
ROMANCY_ON_EVERY_SERVER(KnownDefectsOnServers);

} // namespace
} // namespace romancy::testing
