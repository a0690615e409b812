#include "actors/guard.hpp"
#include "actors/message_types.hpp"
#include "tests/actors/workflow_fixture.hpp"
#include "tests/support/refused_writes.hpp"
#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

constexpr auto slow =
    activity("slow", [](external_context&, notebook& book) -> void { book.perhaps_fail("not yet"); }).retry(fixed(30s));
constexpr auto lasting = workflow("lasting", [](workflow_context<slow>& ctx, const std::string& id) -> task<std::string> {
  co_await ctx.transaction([&](activity_context& tx) { write_row(tx, "begin " + id); });
  co_await ctx.call<slow>();
  co_await ctx.transaction([&](activity_context& tx) { write_row(tx, "end " + id); });
  co_return "done";
});

class DispatcherOnSqlite3 : public workflow_fixture<sqlite3_file> {};

class Dispatcher : public workflow_fixture<> {
protected:
  static void refuse_to_undo(simulation& app) {
    refuse_writes(app.db(), "UPDATE", "workflow_instances", "NEW.status = 'compensating'");
  }
  static void let_undo(simulation& app) { allow_writes(app.db(), "workflow_instances"); }
};

/// When each replay began.
class timing_hooks final : public lifecycle_hooks {
public:
  std::function<std::chrono::milliseconds()> now;
  std::vector<long long> replays;
  names parked;
  void on_replay(const workflow_info&, int) override { replays.push_back(now().count()); }
  void on_workflow_parked(const workflow_info& w, const std::string& why) override {
    parked.push_back(w.instance_id + ": " + why);
  }
};

TEST_F(DispatcherOnSqlite3, RefusesStartsBeyondThoseThatMayWait) {
  world<plain> app{file, book, {.max_waiting_starts = 3}};
  app.advance(10ms);
  app.db().begin(); // as another process that holds the lock
  std::vector<std::shared_ptr<start_slot>> slots;
  for (const auto* id : {"A", "B", "C", "D"}) slots.push_back(app.start("plain", {id}, id));
  app.advance(100ms);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(slots[static_cast<std::size_t>(i)]->wait_for(0ms)) << i;
  EXPECT_EQ(refusal<storage_error>([&] { static_cast<void>(slots[3]->wait_for(0ms)); }),
            "instance D is not started: 3 others wait for the database already: try again later");
  app.db().commit();
  for (const auto* id : {"A", "B", "C"}) ASSERT_TRUE(app.ends(id)) << id;
  EXPECT_TRUE(slots[0]->wait_for(0ms)->created);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances"), 3);
  const auto again = app.start("plain", {"D"}, "D");
  ASSERT_TRUE(app.ends("D"));
  EXPECT_TRUE(again->wait_for(0ms)->created);
}

/// Asked after the k-th message since, for every k while its instances end.
TEST_P(Dispatcher, StartsAndClaimsNothingOnceItWasToldToEnd) {
  for (int k = 1; k <= 10; ++k) {
    notebook paper;
    paper.failures_left = 99;
    world<plain> app{another(), paper};
    for (const auto* id : {"A1", "A2", "A3"}) app.start("plain", {id}, id);
    app.advance(50ms);
    const auto dispatcher = app.roster().get("dispatcher");
    app.drain();
    app.run_until([] { return false; }, k);
    app.db().session() << "INSERT INTO workflow_instances (instance_id, workflow_name, input_data, started_at) "
                          "VALUES ('B', 'plain', '[\"B\"]', '2026-01-01 00:00:00.000000')";
    instance_record late;
    late.instance_id = "C";
    late.workflow = "plain";
    late.input = R"(["C"])";
    tell(dispatcher, start_request{std::make_shared<start_slot>(), late});
    tell(dispatcher, look_for_instances{});
    app.settle();
    EXPECT_TRUE(app.has_ended()) << "k = " << k;
    EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances WHERE instance_id = 'C'"), 0) << "k = " << k;
    EXPECT_EQ(app.instance("B").fence, 0) << "k = " << k;
  }
}

TEST_P(Dispatcher, BeginsAnInstanceThatCannotGoOnAnewWithGrowingPausesAndParksIt) {
  const auto hooks = std::make_shared<timing_hooks>();
  world<saga> app{file, book, {.hooks = hooks}};
  hooks->now = [&] { return app.now(); };
  refuse_to_undo(app);
  app.start("saga", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  app.settle();
  EXPECT_EQ(hooks->replays,
            (std::vector<long long>{1000, 3000, 7000, 15'000, 31'000, 63'000, 123'000, 183'000, 243'000}));
  EXPECT_EQ(app.now(), 303s);
  EXPECT_EQ(app.status("A"), instance_status::parked);
  const auto why = app.instance("A").error;
  EXPECT_EQ(why.find("it could not go on, 10 times one after another: "), 0U) << why;
  EXPECT_NE(why.find("not today"), std::string::npos) << why;
  EXPECT_EQ(hooks->parked, names{"A: " + why});
  EXPECT_EQ(book.lines, (names{"first", "doomed"}));

  let_undo(app);
  app.db().begin();
  ASSERT_EQ(instance_table{app.db()}.resume("A", ""), 1);
  app.db().commit();
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_EQ(app.rows(), (names{"first A", "second A", "undo second A", "undo first F-A"}));
}

TEST_F(DispatcherOnSqlite3, ParksAnInstanceWhoseHistoryCannotBeRead) {
  kill_after<plain>(1);
  world<plain> app{file, book};
  app.db().session() << "ALTER TABLE workflow_history RENAME TO good";
  app.db().session() << "CREATE VIEW workflow_history AS SELECT id, instance_id, activity_id, position, event_type, "
                        "NULL AS event_data, attempts, details, created_at FROM good";
  app.db().session() << "CREATE TRIGGER bad INSTEAD OF INSERT ON workflow_history BEGIN SELECT 1; END";
  ASSERT_TRUE(app.run_until([&] { return app.instance("A").fence == 2; }));
  const auto claimed_at = app.now();
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.now() - claimed_at, 303s);
  EXPECT_EQ(app.status("A"), instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("cannot read the history of A"), std::string::npos) << app.instance("A").error;
  EXPECT_EQ(book.lines, names{"first"});
}

TEST_P(Dispatcher, GoesOnWithAnInstanceOnceItCan) {
  world<saga> app{file, book};
  refuse_to_undo(app);
  app.start("saga", {"A"}, "A");
  app.advance(10s); // the next time is at 15 s
  EXPECT_EQ(app.status("A"), instance_status::running);
  let_undo(app);
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.now(), 15s);
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_EQ(app.instance("A").error, "doomed:1 failed after 1 attempt: there is no way");
}

TEST_P(Dispatcher, CountsOnlyFailuresToGoOnThatFollowEachOther) {
  const auto hooks = std::make_shared<timing_hooks>();
  world<lasting> app{file, book, {.hooks = hooks}};
  hooks->now = [&] { return app.now(); };
  const auto refuse = [&](const std::string& step) {
    refuse_writes(app.db(), "INSERT", "workflow_history", "NEW.activity_id = '" + step + '\'');
  };
  const auto replays = [&](std::size_t n) { return app.run_until([&] { return hooks->replays.size() == n; }); };
  refuse("@transaction:1"); // attempts at 0, 1, 3, 7 and 15 s, and that they failed cannot be written either
  app.start("lasting", {"A"}, "A");
  ASSERT_TRUE(replays(2));
  EXPECT_EQ(hooks->replays, (std::vector<long long>{15'000, 16'000}));
  allow_writes(app.db(), "workflow_history");
  refuse("@transaction:2");
  book.failures_left = 3; // it goes on for 90 s
  ASSERT_TRUE(replays(8));
  EXPECT_EQ(hooks->replays, (std::vector<long long>{15'000, 16'000, 46'000, 76'000, 106'000, 121'000, 122'000, 124'000}));
}

ROMANCY_ON_EVERY_DATABASE(Dispatcher);

} // namespace
} // namespace romancy::testing
