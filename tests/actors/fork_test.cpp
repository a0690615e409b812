#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace {

constexpr auto note =
    activity("note", [](activity_context& ctx, const std::string& text) -> void { write_row(ctx, text); });

std::string text_of(detail::utc_time time) { return std::to_string(time.time_since_epoch().count()); }

/// What it has seen of times and numbers.
constexpr auto diary = workflow("diary", [](workflow_context<note>& ctx, int run) -> task<std::string> {
  std::string seen = text_of(ctx.now()) + ' ' + std::to_string(ctx.random());
  co_await ctx.sleep_for(7s);
  seen += ' ' + text_of(ctx.now()) + ' ' + ctx.uuid();
  co_await ctx.call<note>(seen);
  if (run < 2) co_return co_await ctx.recur(run + 1);
  seen += ' ' + std::to_string(ctx.random());
  co_return seen;
});

constexpr auto slow = activity("slow", [](activity_context& ctx, const std::string& text, notebook& book) -> int {
                        book.note("slow " + std::to_string(ctx.attempt()));
                        book.perhaps_fail("not yet");
                        write_row(ctx, text);
                        return ctx.attempt();
                      }).retry(fixed(100s).max_attempts(3));

/// One step in parallel has no outcome for a while.
constexpr auto side_by_side = workflow("side_by_side", [](workflow_context<note, slow>& ctx) -> task<int> {
  auto late = ctx.start<slow>("late");
  co_await ctx.call<note>("one");
  const auto event = co_await ctx.wait_event("go", 10s);
  const std::string text = event ? "two" : "alone";
  co_await ctx.call<note>(text);
  const int attempts = co_await late;
  co_return attempts;
});

constexpr auto listener = workflow("listener", [](workflow_context<note>& ctx, int kept) -> task<std::string> {
  co_await ctx.subscribe("news");
  co_await ctx.join_group("listeners");
  co_await ctx.call<note>("listens");
  if (kept == 0) co_await ctx.unsubscribe("news");
  const auto heard = co_await ctx.receive<std::string>("news");
  co_return heard;
});
constexpr auto deaf_listener = workflow("listener", [](workflow_context<note>& ctx, int kept) -> task<std::string> {
  co_await ctx.subscribe("news");
  co_await ctx.join_group("listeners");
  co_await ctx.call<note>("listens");
  if (kept == 0) co_await ctx.unsubscribe("news");
  co_await ctx.call<note>("hears nothing");
  co_return "";
});

class Fork : public workflow_fixture<> {
protected:
  /// Why it was refused; empty: it was not. @pre nothing else is under way
  template <class World>
  static std::string forked(World& app, const std::string& id, const std::string& step, const std::string& new_id) {
    const auto slot = app.fork(id, step, new_id);
    app.settle();
    const auto answer = slot->wait_for(0ms);
    EXPECT_TRUE(answer) << id << ' ' << step;
    return answer ? answer->refused : "no answer";
  }
  template <class World> static long long rows_of(World& app, const std::string& table, const std::string& id) {
    return app.count("SELECT count(*) FROM " + table + " WHERE instance_id = '" + id + '\'');
  }
};

TEST_P(Fork, GoesOnFromTheStepThatFailedOnceTheCauseIsMended) {
  book.failures_left = 5;
  world<patient> app{file, book};
  app.start("patient", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_EQ(app.status("A"), instance_status::failed);
  ASSERT_EQ(app.rows(), (names{"first A", "second A", "undo second A", "undo first F-A"}));
  const auto before = app.history("A");
  book.lines.clear();
  ASSERT_EQ(forked(app, "A", "flaky:1", "B"), "");
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.status("B"), instance_status::completed);
  EXPECT_EQ(app.instance("B").output, R"("F-A")"); // of the step that it took over
  EXPECT_EQ(book.lines, (names{"flaky 1"}));
  EXPECT_EQ(app.history("B"),
            (names{"first:1 ActivityCompleted", "second:1 ActivityCompleted", "flaky:1 ActivityCompleted"}));
  EXPECT_EQ(app.history("A"), before);
  EXPECT_EQ(app.status("A"), instance_status::failed);
}

TEST_P(Fork, UndoesOnlyWhatItDidItself) {
  world<saga> app{file, book};
  app.start("saga", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_EQ(app.rows(), (names{"first A", "second A", "undo second A", "undo first F-A"}));
  ASSERT_EQ(forked(app, "A", "second:1", "B"), "");
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.status("B"), instance_status::failed);
  EXPECT_EQ(app.rows(), (names{"first A", "second A", "undo second A", "undo first F-A", "second A", "undo second A"}));
}

TEST_P(Fork, SendsEventsOfItsOwn) {
  world<plain> app{file, book};
  app.start("plain", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_EQ(forked(app, "A", "@transaction:1", "B"), "");
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.event_types(),
            (names{"first.done", "flaky.done", "inline.done", "body.done", "inline.done", "body.done"}));
  EXPECT_EQ(app.count("SELECT count(DISTINCT event_id) FROM outbox_events"), 6);
  EXPECT_EQ(app.instance("B").output, R"("F-A 1 7 B/@send_event:1")");
  EXPECT_EQ(rows_of(app, "outbox_events", "B"), 2);
}

TEST_P(Fork, SeesTheTimesAndDrawsTheNumbersOfItsSource) {
  world<diary> app{file, book};
  app.advance(5s);
  app.start("diary", {2}, "A");
  ASSERT_TRUE(app.ends("A"));
  app.advance(3s);
  ASSERT_EQ(forked(app, "A", "note:1", "B"), "");
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.instance("B").output, app.instance("A").output);
  EXPECT_EQ(app.rows().at(1), app.rows().at(0));
  ASSERT_EQ(forked(app, "B", "note:1", "C"), ""); // of a fork
  ASSERT_TRUE(app.ends("C"));
  EXPECT_EQ(app.instance("C").output, app.instance("A").output);
}

TEST_P(Fork, TakesOverTheLastRunAndLaterContinuesAsNewWithNumbersOfItsOwn) {
  world<diary> app{file, book};
  app.start("diary", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_EQ(app.instance("A").run, 2);
  ASSERT_EQ(forked(app, "A", "note:1", "B"), "");
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.instance("B").run, 1);
  EXPECT_EQ(app.instance("B").output, app.instance("A").output);
  // One that has two runs before it: its first is its source's, its second is not.
  app.start("diary", {2}, "S");
  ASSERT_TRUE(app.ends("S"));
  app.db().session() << "UPDATE workflow_instances SET input_data = '[1]' WHERE instance_id = 'S'";
  ASSERT_EQ(forked(app, "S", "note:1", "F"), "");
  ASSERT_TRUE(app.ends("F"));
  const auto rows = app.rows();
  ASSERT_EQ(rows.size(), 6U); // two of A, one of B, one of S, two of F
  EXPECT_EQ(rows[4], rows[3]);
  EXPECT_NE(rows[5].substr(rows[5].find(' ')), rows[4].substr(rows[4].find(' ')));
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances WHERE instance_id = 'F' AND random_seed IS NULL"), 1);
}

TEST_P(Fork, KeepsWhatHasAnOutcomeAndRunsTheRestAnew) {
  book.failures_left = 1;
  world<side_by_side> app{file, book};
  app.start("side_by_side", nlohmann::json::array(), "A");
  ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 3; }));
  app.cancel("A", "enough");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_EQ(app.rows(), (names{"one", "alone"}));
  ASSERT_EQ(forked(app, "A", "note:2", "B"), "");
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.history("B"), (names{"note:1 ActivityCompleted", "@wait_event:1 WaitTimedOut", "slow:1 ActivityCompleted",
                                     "note:2 ActivityCompleted"}));
  EXPECT_EQ(app.instance("B").output, "1");
  auto rows = app.rows();
  std::sort(rows.begin(), rows.end());
  EXPECT_EQ(rows, (names{"alone", "alone", "late", "one"}));
  EXPECT_EQ(book.lines, (names{"slow 1", "slow 1"})); // it had none, so it began anew
}

TEST_P(Fork, CopiesTheSubscriptionsOfAParkedInstance) {
  {
    world<listener> app{file, book};
    app.start("listener", {1}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 3; }));
    app.advance(1s);
    app.crash();
  }
  {
    world<deaf_listener> app{file, book};
    app.receive("news", "good morning", "", "early"); // wakes it
    ASSERT_TRUE(app.ends("A"));
    ASSERT_EQ(app.status("A"), instance_status::parked);
  }
  world<listener> app{file, book};
  ASSERT_EQ(forked(app, "A", "note:1", "B"), "");
  EXPECT_EQ(rows_of(app, "channel_subscriptions", "B"), 1);
  EXPECT_EQ(rows_of(app, "workflow_groups", "B"), 1);
  EXPECT_EQ(rows_of(app, "channel_subscriptions", "A"), 1); // still
  app.advance(1s);
  app.receive("news", "hello");
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.instance("B").output, R"("hello")");
  EXPECT_EQ(app.status("A"), instance_status::parked);
}

TEST_P(Fork, RefusesWhenItsSubscriptionsCannotBeKnown) {
  world<listener> app{file, book};
  app.start("listener", {1}, "A");
  ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 3; }));
  app.receive("news", "hello");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(forked(app, "A", "note:1", "B"),
            "instance A subscribed to channels or joined groups before note:1, which ended with it: fork it from that "
            "step, or from one before it: see romancy workflow show A");
  app.start("listener", {0}, "C");
  ASSERT_TRUE(app.run_until([&] { return app.history("C").size() == 4; }));
  app.advance(1s);
  app.drain();
  app.settle();
  world<deaf_listener> other{file, book};
  other.db().session() << "DELETE FROM workflow_history WHERE instance_id = 'C' AND position = 1"; // it cannot go on
  other.receive("news", "good morning", "", "early");                                              // wakes it
  ASSERT_TRUE(other.ends("C"));
  ASSERT_EQ(other.status("C"), instance_status::parked);
  EXPECT_EQ(forked(other, "C", "note:1", "D").find("instance C has changed its channels or groups before and after"), 0U);
  EXPECT_EQ(forked(other, "C", "@join_group:1", "D"), ""); // from the first of them
  EXPECT_EQ(rows_of(other, "workflow_groups", "D"), 0);
}

TEST_P(Fork, SaysWhyNot) {
  world<patient, diary> app{file, book};
  app.start("diary", {2}, "R");
  ASSERT_TRUE(app.run_until([&] { return rows_of(app, "workflow_waits", "R") == 1; }));
  EXPECT_EQ(forked(app, "R", "@sleep:1", "B"),
            "instance R is running: cancel it, or wait until it has ended, and fork it then");
  EXPECT_EQ(forked(app, "nobody", "note:1", "B"),
            "there is no instance nobody, or it has been removed since it finished: see romancy workflow list");
  app.start("patient", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(forked(app, "A", "note:1", "B"), "the history of instance A has no step note:1: see romancy workflow show A");
  EXPECT_EQ(forked(app, "A", "flaky:1", "R"),
            "instance R exists already, and is not a fork of A from flaky:1: choose another id");
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances"), 2);
}

TEST_P(Fork, ForksOnceHoweverOftenItIsAskedWithOneId) {
  world<patient> app{file, book};
  app.start("patient", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_EQ(forked(app, "A", "flaky:1", "B"), "");
  ASSERT_EQ(forked(app, "A", "flaky:1", "B"), "");
  ASSERT_TRUE(app.ends("B"));
  ASSERT_EQ(forked(app, "A", "flaky:1", "B"), ""); // also when it has ended
  EXPECT_EQ(app.history("B").size(), 3U);
  EXPECT_EQ(forked(app, "A", "second:1", "B"),
            "instance B exists already, and is not a fork of A from second:1: choose another id");
  EXPECT_EQ(app.rows(), (names{"first A", "second A", "flaky A", "flaky A"}));
}

TEST_P(Fork, LosesAndRepeatsNothingWhateverMessageIsTheLast) {
  const bool quick = !is(database_url::backend::sqlite3);
  int crashes = 0;
  for (int k = 1;; k += quick ? 13 : 3) {
    const auto path = another();
    book.failures_left = 5;
    book.lines.clear();
    bool ended = false;
    {
      world<patient> app{path, book};
      app.start("patient", {"A"}, "A");
      ASSERT_TRUE(app.ends("A"));
      book.failures_left = 1;
      app.fork("A", "flaky:1", "B");
      ended = app.run_until([&] { return app.instance("B").status == instance_status::completed; }, k);
      if (!ended) ++crashes;
      app.crash();
    }
    world<patient> app{path, book};
    app.fork("A", "flaky:1", "B"); // as its caller does that heard nothing
    ASSERT_TRUE(app.ends("B")) << "k = " << k;
    ASSERT_EQ(app.instance("B").output, R"("F-A")") << "k = " << k << ' ' << app.instance("B").error;
    ASSERT_EQ(app.rows(), (names{"first A", "second A", "undo second A", "undo first F-A", "flaky A"})) << "k = " << k;
    ASSERT_EQ(app.history("B").size(), 3U) << "k = " << k;
    ASSERT_EQ(app.count("SELECT count(*) FROM outbox_events WHERE instance_id = 'B'"), 1) << "k = " << k;
    if (ended) break;
  }
  EXPECT_GT(crashes, quick ? 2 : 10);
}

ROMANCY_ON_EVERY_DATABASE(Fork);

} // namespace
} // namespace romancy::testing
