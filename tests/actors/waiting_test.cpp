#include "tests/actors/waiting_steps.hpp"
#include "tests/support/refused_writes.hpp"

namespace romancy::testing {
namespace {

constexpr auto sleeper = workflow("sleeper", [](workflow_context<note>& ctx, int ms) -> task<std::string> {
  co_await ctx.call<note>("before");
  co_await ctx.sleep_for(ms * 1ms);
  const auto woken = milliseconds_of(ctx.now());
  co_await ctx.call<note>("after");
  co_return woken;
});

constexpr auto parallel = workflow("parallel", [](workflow_context<slow_note, note>& ctx) -> task<std::string> {
  auto a = ctx.start<slow_note>("a");
  auto b = ctx.start<note>("b");
  auto timer = ctx.start_sleep_for(10s);
  const auto first = co_await ctx.any(a, timer);
  const auto done = co_await ctx.all(a, b);
  co_return std::to_string(first) + ' ' + std::get<0>(done) + ' ' + milliseconds_of(ctx.now());
});

constexpr auto race = workflow("race", [](workflow_context<slow_note>& ctx) -> task<std::string> {
  auto work = ctx.start<slow_note>("a");
  auto limit = ctx.start_sleep_for(30s);
  const auto first = co_await ctx.any(work, limit);
  co_return first == 0 ? "done" : "too late";
});

class Waiting : public workflow_fixture<> {};

TEST_P(Waiting, SleepsToTheMillisecondAsARowThatNobodyOwns) {
  world<sleeper> app{file, book};
  app.start("sleeper", {3'600'123}, "A");
  app.advance(1s);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances WHERE owner_epoch IS NULL"), 1);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_waits"), 1);
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.now(), 3'600'123ms);
  EXPECT_EQ(app.instance("A").output, R"("3600123")");
  EXPECT_EQ(app.rows(), (names{"before", "after"}));
  EXPECT_EQ(app.history("A"), (names{"note:1 ActivityCompleted", "@sleep:1 TimerFired", "note:2 ActivityCompleted"}));
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_waits"), 0);
}

TEST_P(Waiting, KeepsTheFirstDeadlineOverRestarts) {
  for (const int ms : {30'000, 60'000}) {
    const auto id = std::to_string(ms);
    {
      world<sleeper> app{file, book};
      app.start("sleeper", {ms}, id);
      app.advance(1s);
      app.crash();
    }
    world<sleeper> app{file, book}; // at the time 0 of the simulation
    ASSERT_TRUE(app.ends(id));
    EXPECT_EQ(app.instance(id).output, '"' + id + '"');
  }
}

TEST_P(Waiting, TellsATimeoutFromEachOfTheEventsItWaitsFor) {
  world<approval> app{file, book};
  for (const auto* id : {"A", "B", "C", "D"}) app.start("approval", {60'000}, id);
  app.receive("order.approved", {{"by", "early"}}, "D"); // perhaps before it waits
  app.advance(10ms);
  app.receive("order.approved", {{"by", "Ada"}}, "A");
  app.receive("order.rejected", {{"why", "no stock"}}, "B");
  app.advance(10ms);
  EXPECT_EQ(app.instance("A").output, R"("approved by Ada")");
  EXPECT_EQ(app.instance("B").output, R"("rejected: no stock")");
  EXPECT_EQ(app.instance("D").output, R"("approved by early")");
  EXPECT_EQ(app.status("C"), instance_status::running);
  ASSERT_TRUE(app.ends("C"));
  EXPECT_EQ(app.instance("C").output, R"("expired")");
  EXPECT_EQ(app.now(), 1min);
  EXPECT_EQ(app.history("C"), names{"@wait_event:1 WaitTimedOut"});
  EXPECT_EQ(app.count("SELECT count(*) FROM channel_messages"), 0);
}

TEST_P(Waiting, FailsTheStepWhenWhatCameDoesNotFit) {
  world<approval> app{file, book};
  app.start("approval", {1000}, "A");
  app.advance(10ms);
  app.receive("order.approved", {{"from", "nobody"}}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_NE(app.instance("A").error.find("@wait_event:1 failed after 1 attempt: what was received does not fit"),
            std::string::npos)
      << app.instance("A").error;
}

TEST_P(Waiting, GoesOnWithStepsInParallelAndRecordsWhichWasFirst) {
  book.failures_left = 1; // `a` takes 100 s
  world<parallel> app{file, book};
  app.start("parallel", nlohmann::json::array(), "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, R"("1 noted a 100000")");
  EXPECT_EQ(app.history("A"), (names{"note:1 ActivityCompleted", "@sleep:1 TimerFired", "@any:1 ChoiceMade",
                                     "slow_note:1 ActivityCompleted"}));
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_waits"), 0);
}

TEST_P(Waiting, LeavesTheLoserOfARaceBehind) {
  book.failures_left = 9;
  world<race> app{file, book};
  app.start("race", nlohmann::json::array(), "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, R"("too late")");
  EXPECT_EQ(app.now(), 30s);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_waits"), 0);
}

TEST_P(Waiting, CountsAttemptsAndKeepsTheTimeOfTheNextOverRestarts) {
  book.failures_left = 2;
  for (int life = 0; life < 3; ++life) { // each begins at the time 0 of the simulation
    world<race> app{file, book};
    if (life == 0) app.start("race", nlohmann::json::array(), "A");
    app.advance(10ms);
    EXPECT_EQ(book.failures_left, 1);
    app.crash();
  }
}

TEST_P(Waiting, IsCancelledWhileItWaitsAndNeverRevivedByWhatComesLate) {
  world<approval, sleeper> app{file, book};
  app.start("approval", {60'000}, "A");
  app.start("sleeper", {60'000}, "B");
  app.advance(10ms);
  for (const auto* id : {"A", "B"}) app.cancel(id, "enough");
  app.advance(10ms);
  for (const auto* id : {"A", "B"}) EXPECT_EQ(app.status(id), instance_status::cancelled) << id;
  app.receive("order.approved", {{"by", "Ada"}}, "A");
  app.advance(2min);
  for (const auto* id : {"A", "B"}) EXPECT_EQ(app.status(id), instance_status::cancelled) << id;
  EXPECT_EQ(app.count("SELECT count(*) FROM channel_messages"), 0);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_waits"), 0);
}

// -- one thing while another is on the way ------------------------------------------------------------------------------

constexpr auto minute_child = workflow("minute_child", [](workflow_context<>& ctx) -> task<int> {
  co_await ctx.sleep_for(1min);
  co_return 5;
});
constexpr auto busy_starter = workflow("busy_starter", [](workflow_context<minute_child>& ctx) -> task<std::string> {
  auto limit = ctx.start_sleep_for(1h);
  co_await ctx.publish("somewhere", 1); // is committed before the sleep is
  const int answer = co_await ctx.call<minute_child>();
  auto news = ctx.start_wait_event<std::string>("news");
  co_await ctx.publish("somewhere", 2);
  const auto first_done = co_await ctx.any(limit, news);
  co_return std::to_string(answer) + std::to_string(first_done);
});

TEST_P(Waiting, WritesDownWhatIsWaitedForWhileAnotherQuestionIsOnTheWay) {
  world<busy_starter> app{file, book};
  app.start("busy_starter", nlohmann::json::array(), "A");
  app.advance(61s);
  EXPECT_EQ(app.instance("A/@child.minute_child:1").output, "5");
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_waits WHERE instance_id = 'A'"), 2);
  app.receive("news", "now");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.now(), 61s);
  EXPECT_EQ(app.instance("A").output, R"("51")");
}

constexpr auto either = workflow("either", [](workflow_context<slow_note>& ctx) -> task<std::string> {
  auto word = ctx.start_wait_event<std::string>("word");
  auto work = ctx.start<slow_note>("work");
  const auto winner = co_await ctx.any(word, work);
  if (winner == 1) co_return "work";
  const auto said = co_await word;
  co_return said;
});

/// While the activity runs, waits for its next attempt in memory or as a row that nobody owns, or is being loaded.
TEST_P(Waiting, TakesAnEventForTheWinnerWheneverItComes) {
  int k = 0;
  for (bool rests = false; !rests; k += is(database_url::backend::sqlite3) ? 1 : 11) {
    book.failures_left = 1;
    world<either> app{another(), book};
    app.start("either", nlohmann::json::array(), "A");
    app.run_until([] { return false; }, k);
    rests = app.count("SELECT count(*) FROM workflow_instances WHERE owner_epoch IS NULL AND wake_at > '2000-01-01'") > 0;
    app.receive("word", "now", "A");
    ASSERT_TRUE(app.run_until([&] { return app.status("A") == instance_status::completed; }, 5000)) << "k = " << k;
    ASSERT_EQ(app.instance("A").output, R"("now")") << "k = " << k;
    ASSERT_LT(app.now(), 10s) << "k = " << k;
    ASSERT_EQ(app.count("SELECT count(*) FROM channel_messages"), 0) << "k = " << k;
  }
  EXPECT_GT(k, 30);
  // Once more, while somebody takes it up from its rest.
  for (int j = 0; j < 40; j += 3) {
    book.failures_left = 1;
    world<either> app{another(), book};
    app.start("either", nlohmann::json::array(), "A");
    app.advance(1s);
    app.db().session() << "UPDATE workflow_instances SET wake_at = started_at";
    app.run_until([] { return false; }, j);
    app.receive("word", "now", "A");
    ASSERT_TRUE(app.run_until([&] { return app.status("A") == instance_status::completed; }, 5000)) << "j = " << j;
    ASSERT_LT(app.now(), 10s) << "j = " << j;
  }
}

// -- decisions ----------------------------------------------------------------------------------------------------------

constexpr auto decides = workflow("decides", [](workflow_context<>& ctx) -> task<std::string> {
  const int version = co_await ctx.version("v", 0, 3);
  auto soon = ctx.start_sleep_for(1s);
  auto later = ctx.start_sleep_for(1h);
  const auto winner = co_await ctx.any(later, soon);
  co_return std::to_string(version) + ' ' + std::to_string(winner);
});

/// As a failure it would be in history under a kind that no replay can read.
TEST_P(Waiting, RecordsADecisionOnceTheDatabaseTakesItAndNeverAsAFailure) {
  for (const auto* decision : {"VersionChosen", "ChoiceMade"}) {
    world<decides> app{another(), book, {.default_retry = fixed(10ms).max_attempts(2)}};
    refuse_writes(app.db(), "INSERT", "workflow_history", std::string{"NEW.event_type = '"} + decision + '\'');
    app.start("decides", nlohmann::json::array(), "A");
    app.advance(1500ms);
    EXPECT_EQ(app.status("A"), instance_status::running) << app.instance("A").error;
    allow_writes(app.db(), "workflow_history");
    ASSERT_TRUE(app.ends("A")) << decision;
    EXPECT_EQ(app.instance("A").output, R"("3 1")") << app.instance("A").error;
    EXPECT_EQ(app.history("A"), (names{"@version.v:1 VersionChosen", "@sleep:1 TimerFired", "@any:1 ChoiceMade"}));
  }
}

// -- whatever dies when -------------------------------------------------------------------------------------------------

constexpr auto small_child = workflow("small_child", [](workflow_context<note>& ctx) -> task<int> {
  co_await ctx.call<note>("child");
  co_await ctx.sleep_for(6s);
  co_return 1;
});
constexpr auto everything =
    workflow("everything", [](workflow_context<note, slow_note, small_child>& ctx, int run) -> task<std::string> {
      const auto prefix = std::to_string(run) + ' ';
      co_await ctx.subscribe("news");
      const int version = co_await ctx.version("v", 0, 3);
      const auto decision = co_await ctx.wait_event<approved>(1h);
      const std::string by = decision ? decision->by : "nobody";
      co_await ctx.call<note>(prefix + by);
      auto born = ctx.start<small_child>();
      auto work = ctx.start<slow_note>(prefix + "work");
      auto limit = ctx.start_sleep_for(7s);
      const auto first_done = co_await ctx.any(work, limit);
      co_await ctx.publish("news", prefix + "published");
      const auto news = co_await ctx.receive<std::string>("news");
      co_await ctx.call<note>(news);
      const auto both = co_await ctx.all(born, work);
      co_await ctx.call<note>(prefix + std::to_string(first_done) + std::to_string(std::get<0>(both)) +
                              std::to_string(version));
      if (run == 1) co_return co_await ctx.recur(run + 1);
      co_return "done";
    });

TEST_P(Waiting, LosesAndRepeatsNothingWhateverMessageIsTheLast) {
  const bool quick = !is(database_url::backend::sqlite3);
  int crashes = 0;
  for (int k = 1;; k += quick ? 61 : 11) {
    const auto path = another();
    bool ended = false;
    const auto send = [](auto& app) {
      app.receive("order.approved", {{"by", "Ada"}}, "A", "one");
      app.receive("order.approved", {{"by", "Bob"}}, "A", "two");
    };
    {
      book.failures_left = 1;
      world<everything> app{path, book};
      app.start("everything", {1}, "A");
      send(app);
      ended = app.run_until([&] { return is_settled(app.instance("A").status); }, k) ||
              app.instance("A").status == instance_status::completed;
      if (!ended) ++crashes;
      app.crash();
    }
    world<everything> app{path, book};
    app.start("everything", {1}, "A"); // as its caller does that heard nothing
    send(app);
    ASSERT_TRUE(app.ends("A")) << "k = " << k;
    ASSERT_EQ(app.instance("A").output, R"("done")") << "k = " << k << ' ' << app.instance("A").error;
    auto rows = app.rows();
    std::sort(rows.begin(), rows.end());
    auto last = [](const std::string& row) { return row.size() == 5 && row.substr(3) == "13"; };
    ASSERT_EQ(std::count_if(rows.begin(), rows.end(), last), 2) << "k = " << k; // whichever was first
    std::erase_if(rows, last);
    ASSERT_EQ(rows, (names{"1 Ada", "1 published", "1 work", "2 Bob", "2 published", "2 work", "child", "child"}))
        << "k = " << k;
    for (const auto* table : {"workflow_waits", "channel_messages", "channel_subscriptions"})
      ASSERT_EQ(app.count(std::string{"SELECT count(*) FROM "} + table), 0) << table << ", k = " << k;
    ASSERT_EQ(app.count("SELECT count(*) FROM inbox_events"), 2) << "k = " << k;
    if (ended) break;
  }
  EXPECT_GT(crashes, quick ? 5 : 30);
}

ROMANCY_ON_EVERY_DATABASE(Waiting);

} // namespace
} // namespace romancy::testing
