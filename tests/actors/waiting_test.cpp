#include "tests/actors/workflow_fixture.hpp"
#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

struct approved {
  static constexpr auto event_type = "order.approved";
  std::string by;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(approved, by)
struct rejected {
  static constexpr auto event_type = "order.rejected";
  std::string why;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(rejected, why)

std::string seconds_of(detail::utc_time time) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::milliseconds>(time - std::chrono::sys_days{std::chrono::year{2026} / 1 / 1})
          .count());
}

constexpr auto note =
    activity("note", [](activity_context& ctx, const std::string& text) -> void { write_row(ctx, text); });

constexpr auto sleeper = workflow("sleeper", [](workflow_context<note>& ctx, int ms) -> task<std::string> {
  co_await ctx.call<note>("before");
  co_await ctx.sleep_for(ms * 1ms);
  const auto woken = seconds_of(ctx.now());
  co_await ctx.call<note>("after");
  co_return woken;
});

constexpr auto approval = workflow("approval", [](workflow_context<note>& ctx, int ms) -> task<std::string> {
  const auto decision = co_await ctx.wait_events<approved, rejected>(ms * 1ms);
  if (!decision) co_return "expired";
  if (const auto* yes = std::get_if<approved>(&*decision)) co_return "approved by " + yes->by;
  co_return "rejected: " + std::get<rejected>(*decision).why;
});

constexpr auto collector = workflow("collector", [](workflow_context<note>& ctx, int count) -> task<std::string> {
  std::string all;
  for (int i = 0; i < count; ++i) {
    const auto event = co_await ctx.wait_event("tick");
    all += event.data.dump() + ' ';
  }
  co_return all;
});

constexpr auto slow_note =
    activity("slow_note", [](activity_context& ctx, const std::string& text, notebook& book) -> std::string {
      book.perhaps_fail("not yet");
      write_row(ctx, text);
      return "noted " + text;
    }).retry(fixed(100s).max_attempts(3));

constexpr auto parallel = workflow("parallel", [](workflow_context<slow_note, note>& ctx) -> task<std::string> {
  auto a = ctx.start<slow_note>("a");
  auto b = ctx.start<note>("b");
  auto timer = ctx.start_sleep_for(10s);
  const auto first = co_await ctx.any(a, timer);
  const auto done = co_await ctx.all(a, b);
  co_return std::to_string(first) + ' ' + std::get<0>(done) + ' ' + seconds_of(ctx.now());
});

constexpr auto race = workflow("race", [](workflow_context<slow_note>& ctx) -> task<std::string> {
  auto work = ctx.start<slow_note>("a");
  auto limit = ctx.start_sleep_for(30s);
  const auto first = co_await ctx.any(work, limit);
  co_return first == 0 ? "done" : "too late";
});

constexpr auto child = workflow("child", [](workflow_context<first, doomed>& ctx, const std::string& id) -> task<int> {
  co_await ctx.call<first>(id);
  if (id == "bad") co_await ctx.call<doomed>();
  co_await ctx.sleep_for(1min);
  co_return 42;
});
constexpr auto parent =
    workflow("parent", [](workflow_context<child, second>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<second>(id);
      const auto answer = co_await ctx.try_call<child>(id);
      if (!answer) co_return "child failed: " + answer.failure().message;
      co_return std::to_string(*answer);
    });

constexpr auto counter = workflow("counter", [](workflow_context<note>& ctx, int n, int end) -> task<int> {
  co_await ctx.call<note>(std::to_string(n));
  if (n >= end) co_return n;
  co_return co_await ctx.recur(n + 1, end);
});

constexpr auto listener_flow = workflow("listener", [](workflow_context<note>& ctx, int count) -> task<std::string> {
  co_await ctx.subscribe("news");
  co_await ctx.join_group("listeners");
  std::string all;
  for (int i = 0; i < count; ++i) {
    const auto heard = co_await ctx.receive("news");
    all += heard.data.get<std::string>() + ' ';
  }
  co_return all;
});
constexpr auto worker_flow = workflow("worker", [](workflow_context<note>& ctx) -> task<std::string> {
  co_await ctx.subscribe("jobs", channel_mode::competing);
  const auto job = co_await ctx.receive<std::string>("jobs", 10min);
  co_return job ? *job : "nothing";
});
constexpr auto speaker =
    workflow("speaker", [](workflow_context<note>& ctx, const std::string& channel) -> task<std::vector<std::string>> {
      co_await ctx.publish(channel, "one");
      co_await ctx.publish(channel, "two");
      const auto members = co_await ctx.group_members("listeners");
      for (const auto& member : members) co_await ctx.send_to(member, channel, "only you");
      co_return members;
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

TEST_P(Waiting, GivesAnEventForNobodyInParticularToAllThatWait) {
  world<collector, approval> app{file, book};
  for (const auto* id : {"A", "B"}) app.start("collector", {1}, id);
  app.start("approval", {1000}, "C");
  app.advance(10ms);
  app.receive("tick", 7);
  app.advance(10ms);
  EXPECT_EQ(app.instance("A").output, R"("7 ")");
  EXPECT_EQ(app.instance("B").output, R"("7 ")");
  EXPECT_EQ(app.status("C"), instance_status::running);
}

TEST_P(Waiting, ProcessesAnEventThatComesTwiceOnce) {
  world<collector> app{file, book};
  app.start("collector", {3}, "A");
  app.advance(10ms);
  for (int i = 0; i < 2; ++i)
    for (const auto* id : {"x", "y"}) app.receive("tick", id, "A", id);
  app.advance(10ms);
  EXPECT_EQ(app.status("A"), instance_status::running);
  app.receive("tick", "z", "A", "z");
  app.advance(10ms);
  EXPECT_EQ(app.instance("A").output, R"("\"x\" \"y\" \"z\" ")");
  EXPECT_EQ(app.count("SELECT count(*) FROM inbox_events"), 3);
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

TEST_P(Waiting, RunsAChildWithItsOwnHistoryAndResult) {
  world<parent> app{file, book};
  app.start("parent", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, R"("42")");
  EXPECT_EQ(app.now(), 1min);
  EXPECT_EQ(app.history("A"), (names{"second:1 ActivityCompleted", "@child.child:1 ChildCompleted"}));
  EXPECT_EQ(app.instance("A/@child.child:1").output, "42");
  EXPECT_EQ(app.instance("A/@child.child:1").parent_id, "A");
}

TEST_P(Waiting, TellsTheParentHowTheChildFailed) {
  world<parent> app{file, book};
  app.start("parent", {"bad"}, "bad");
  ASSERT_TRUE(app.ends("bad"));
  EXPECT_EQ(app.instance("bad").output,
            R"("child failed: instance bad/@child.child:1 failed: doomed:1 failed after 1 attempt: there is no way")");
}

TEST_P(Waiting, CancelsChildrenBeforeItUndoesItsOwnSteps) {
  world<parent> app{file, book};
  app.start("parent", {"A"}, "A");
  app.advance(1s);
  app.cancel("A", "enough");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.now(), 1s);
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.status("A/@child.child:1"), instance_status::cancelled);
  EXPECT_EQ(app.instance("A/@child.child:1").error, "its parent A is undone: enough");
  EXPECT_EQ(app.rows(), (names{"second A", "first A", "undo first F-A", "undo second A"}));
}

TEST_P(Waiting, ContinuesAsNewWithOnlyTheLastRunInHistory) {
  world<counter> app{file, book};
  app.start("counter", {1, 20}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, "20");
  EXPECT_EQ(app.instance("A").run, 20);
  EXPECT_EQ(app.rows().size(), 20U);
  EXPECT_EQ(app.history("A"), names{"note:1 ActivityCompleted"});
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_history_archive"), 19);
  EXPECT_EQ(app.count("SELECT count(DISTINCT run) FROM workflow_history_archive"), 19);
}

TEST_P(Waiting, HearsEverythingOfAChannelItSubscribesTo) {
  world<listener_flow, speaker> app{file, book};
  for (const auto* id : {"A", "B"}) app.start("listener", {3}, id);
  app.advance(10ms);
  app.start("speaker", {"news"}, "S");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.instance("A").output, R"("one two only you ")");
  EXPECT_EQ(app.instance("B").output, R"("one two only you ")");
  EXPECT_EQ(app.instance("S").output, R"(["A","B"])");
  for (const auto* table : {"channel_messages", "channel_subscriptions", "workflow_groups"})
    EXPECT_EQ(app.count(std::string{"SELECT count(*) FROM "} + table), 0) << table;
}

TEST_P(Waiting, GivesEachMessageToOneOfThoseThatCompete) {
  world<worker_flow, speaker> app{file, book};
  for (const auto* id : {"A", "B", "C"}) app.start("worker", nlohmann::json::array(), id);
  app.advance(10ms);
  app.start("speaker", {"jobs"}, "S");
  app.advance(10ms);
  names got;
  for (const auto* id : {"A", "B", "C"}) got.push_back(app.instance(id).output);
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, (names{"", R"("one")", R"("two")"}));
  for (const auto* id : {"A", "B", "C"}) ASSERT_TRUE(app.ends(id));
  EXPECT_EQ(app.now(), 10min);
}

TEST_P(Waiting, RefusesASecondModeOnAChannel) {
  world<worker_flow, listener_flow> app{file, book};
  app.start("listener", {1}, "L");
  app.advance(10ms);
  app.db().session() << "UPDATE channel_subscriptions SET channel = 'jobs'";
  app.db().session() << "UPDATE channels SET channel = 'jobs'";
  app.start("worker", nlohmann::json::array(), "W");
  ASSERT_TRUE(app.ends("W"));
  EXPECT_NE(app.instance("W").error.find("the channel 'jobs' is broadcast for 1 other instance"), std::string::npos)
      << app.instance("W").error;
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

// -- events that start instances ---------------------------------------------------------------------------------------

struct order_requested {
  std::string order_id;
  double amount = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_requested, order_id, amount)
constexpr auto fulfil = workflow("fulfil",
                                 [](workflow_context<note>& ctx, const order_requested& in) -> task<std::string> {
                                   const auto decision = co_await ctx.wait_events<approved, rejected>();
                                   co_return in.order_id + (decision.index() == 0 ? " approved" : " rejected");
                                 })
                            .started_by("order.requested", "order_id")
                            .addressed_by("order.approved", "order_id")
                            .addressed_by("order.rejected", "order_id");

TEST_P(Waiting, IsStartedByAnEventAndGetsThoseThatNameIt) {
  world<fulfil> app{file, book};
  app.receive("order.approved", {{"order_id", "O-2"}, {"by", "early"}}); // before it is there
  for (int i = 0; i < 2; ++i)                                            // under two ids
    for (const auto* id : {"O-1", "O-2", "O-3"}) app.receive("order.requested", {{"order_id", id}, {"amount", 7}});
  app.advance(10ms);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances"), 3);
  app.receive("order.rejected", {{"order_id", "O-1"}, {"why", "no"}});
  app.receive("order.rejected", {{"order_id", "O-1"}, {"why", "no"}}, "O-3");
  app.advance(10ms);
  EXPECT_EQ(app.instance("O-1").output, R"("O-1 rejected")");
  EXPECT_EQ(app.instance("O-2").output, R"("O-2 approved")");
  EXPECT_EQ(app.instance("O-3").output, R"("O-3 rejected")");
}

TEST_P(Waiting, RefusesAnEventThatWouldStartAnotherInstanceUnderTheSameId) {
  world<fulfil> app{file, book};
  app.receive("order.requested", {{"order_id", "O-1"}, {"amount", 7}});
  const auto other = app.receive("order.requested", {{"order_id", "O-1"}, {"amount", 8}}, "", "other");
  app.advance(10ms);
  const auto answer = other->wait_for(0ms);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->refused,
            "event other of outside would start instance O-1, which exists already with another workflow "
            "or other inputs");
  EXPECT_EQ(app.count("SELECT count(*) FROM inbox_events"), 1);
}

TEST_P(Waiting, RefusesEventsThatNameNothingOrFitNothing) {
  world<fulfil> app{file, book};
  const auto why = [&](const std::string& type, const nlohmann::json& data) {
    return refusal<payload_error>([&] { app.receive(type, data, "", "E"); });
  };
  EXPECT_EQ(why("order.approved", {{"by", "Ada"}}),
            "event 'E' of type 'order.approved': its data names the instance by the "
            "member 'order_id', which is not there or no text");
  EXPECT_NE(why("order.requested", {{"order_id", "O-1"}}).find("its data is no input of the workflow 'fulfil'"),
            std::string::npos);
  EXPECT_NE(why("order.requested", {{"order_id", ""}}).find("is empty"), std::string::npos);
}

// -- in activities
// -------------------------------------------------------------------------------------------------------

constexpr auto announce = activity("announce", [](activity_context& ctx, const std::string& id, notebook& book) -> void {
                            if (!ctx.first_time("somewhere", id)) return;
                            write_row(ctx, "announce " + id);
                            ctx.publish("news", "all " + id);
                            ctx.send_to("A", "news", "only you " + id);
                            try {
                              ctx.transaction([&] {
                                ctx.publish("news", "never");
                                static_cast<void>(ctx.first_time("somewhere", "undone"));
                                throw std::runtime_error{"undo"};
                              });
                            } catch (const std::runtime_error&) {
                            }
                            book.perhaps_fail("not yet");
                          }).retry(fixed(1s));
constexpr auto announcer =
    workflow("announcer", [](workflow_context<announce>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<announce>(id);
      co_await ctx.call<announce>(id);
      co_return "said";
    });

TEST_P(Waiting, HearsWhatAnActivitySaysOnceItCommits) {
  book.failures_left = 1;
  world<listener_flow, announcer> app{file, book};
  app.start("listener", {2}, "A");
  app.start("listener", {1}, "B");
  app.advance(10ms);
  app.start("announcer", {"1"}, "S");
  app.advance(500ms);
  EXPECT_EQ(app.status("B"), instance_status::running); // the first attempt has failed
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.instance("A").output, R"("all 1 only you 1 ")");
  EXPECT_EQ(app.instance("B").output, R"("all 1 ")");
  ASSERT_TRUE(app.ends("S"));
  EXPECT_EQ(app.rows(), names{"announce 1"});
  EXPECT_EQ(app.count("SELECT count(*) FROM inbox_events"), 1);
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

constexpr auto diary = workflow("diary", [](workflow_context<note>& ctx, int run) -> task<void> {
  const auto begun = seconds_of(ctx.now());
  const auto drawn = std::to_string(ctx.random()) + ctx.uuid();
  co_await ctx.call<note>(begun);
  co_await ctx.call<note>(drawn);
  co_await ctx.sleep_for(20s);
  const auto again = begun + ' ' + drawn; // of the replay
  co_await ctx.call<note>(again);
  if (run < 2) co_await ctx.recur(run + 1);
});

TEST_P(Waiting, GivesTheSameTimeAndRandomNumbersInEachReplay) {
  world<diary> app{file, book};
  app.advance(5s);
  app.start("diary", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  const auto rows = app.rows();
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_EQ(rows[0], "5000");
  EXPECT_EQ(rows[3], "25000"); // of the second run
  for (std::size_t i : {0U, 3U}) EXPECT_EQ(rows[i + 2], rows[i] + ' ' + rows[i + 1]);
  EXPECT_NE(rows[1], rows[4]);
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

// -- versions -----------------------------------------------------------------------------------------------------------

constexpr auto old_code = workflow("w", [](workflow_context<note>& ctx) -> task<std::string> {
  co_await ctx.call<note>("one");
  co_await ctx.sleep_for(1min);
  co_await ctx.call<note>("end");
  co_return "old";
});
constexpr auto new_code = workflow("w", [](workflow_context<note>& ctx) -> task<std::string> {
  co_await ctx.call<note>("one");
  const int version = co_await ctx.version("with-two", 0, 1);
  if (version >= 1) co_await ctx.call<note>("two");
  co_await ctx.sleep_for(1min);
  const int again = co_await ctx.version("with-two", 0, 1);
  co_await ctx.call<note>("end");
  co_return std::to_string(version) + std::to_string(again);
});
constexpr auto newest_code = workflow("w", [](workflow_context<note>& ctx) -> task<std::string> {
  co_await ctx.call<note>("one");
  co_await ctx.version("with-two", 1, 1);
  co_await ctx.call<note>("two");
  co_await ctx.sleep_for(1min);
  co_await ctx.call<note>("end");
  co_return "newest";
});

TEST_P(Waiting, RunsTheVersionThatAnInstanceHasBegunWith) {
  {
    world<old_code> app{file, book};
    app.start("w", nlohmann::json::array(), "old");
    app.advance(1s);
    app.drain();
    app.settle();
  }
  {
    world<new_code> app{file, book};
    app.start("w", nlohmann::json::array(), "new");
    app.advance(1s);
    app.drain();
    app.settle();
  }
  {
    world<new_code> app{file, book};
    ASSERT_TRUE(app.ends("old"));
    ASSERT_TRUE(app.ends("new"));
    EXPECT_EQ(app.instance("old").output, R"("00")");
    EXPECT_EQ(app.instance("new").output, R"("11")");
    EXPECT_EQ(app.rows(), (names{"one", "one", "two", "end", "end"}));
    EXPECT_EQ(app.history("new"), (names{"note:1 ActivityCompleted", "@version.with-two:1 VersionChosen",
                                         "note:2 ActivityCompleted", "@sleep:1 TimerFired", "note:3 ActivityCompleted"}));
  }
}

TEST_P(Waiting, ParksAnInstanceOfAVersionThatIsGone) {
  {
    world<old_code> app{file, book};
    app.start("w", nlohmann::json::array(), "A");
    app.advance(1s);
    app.drain();
    app.settle();
  }
  world<newest_code> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::parked);
  EXPECT_EQ(app.instance("A").error, "the instance runs version 0 of 'with-two', the code has 1 to 1");
}

constexpr auto jotted = activity("jotted", [](activity_context& ctx, const std::string& text) -> void {
                          write_row(ctx, text);
                        }).formerly("note");
constexpr auto renamed = workflow("renamed", [](workflow_context<jotted>& ctx) -> task<std::string> {
                           co_await ctx.call<jotted>("one");
                           co_await ctx.sleep_for(1min);
                           co_await ctx.call<jotted>("end");
                           co_return "renamed";
                         }).formerly("w");

TEST_P(Waiting, GoesOnUnderTheNewNamesOfItsDefinitions) {
  {
    world<old_code> app{file, book};
    app.start("w", nlohmann::json::array(), "A");
    app.advance(1s);
    app.drain();
    app.settle();
  }
  world<renamed> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, R"("renamed")");
  EXPECT_EQ(app.rows(), (names{"one", "end"}));
  EXPECT_EQ(app.history("A"), (names{"note:1 ActivityCompleted", "@sleep:1 TimerFired", "jotted:2 ActivityCompleted"}));
}

ROMANCY_ON_EVERY_DATABASE(Waiting);

} // namespace
} // namespace romancy::testing
