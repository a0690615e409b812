#include <gtest/gtest.h>

#include "tests/support/simulation.hpp"
#include "tests/support/temporary_directory.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

/// What activities of these tests can reach: written on paper that no rollback cleans.
struct notebook {
  std::function<std::chrono::milliseconds()> now;
  std::vector<std::string> lines;
  std::vector<long long> times;
  int failures_left = 0;
  std::function<void()> meanwhile;

  void note(const std::string& line) {
    lines.push_back(line);
    if (now) times.push_back(now().count());
  }
  void perhaps_fail(const char* why) {
    if (failures_left-- > 0) throw std::runtime_error{why};
  }
};

using names = std::vector<std::string>;

void write_row(activity_context& ctx, const std::string& text) {
  ctx.session() << "INSERT INTO rows_written (text) VALUES (:text)", soci::use(text);
}

// -- definitions ------------------------------------------------------------------------------------------------------

void undo_first(activity_context& ctx, const std::string& id, const std::string& output) {
  write_row(ctx, "undo first " + output);
  send_event_transactional(ctx, "first.undone", "test", {{"order_id", id}});
}
constexpr auto first = activity("first", [](activity_context& ctx, const std::string& id, notebook& book) -> std::string {
                         book.note("first");
                         write_row(ctx, "first " + id);
                         send_event_transactional(ctx, "first.done", "test", {{"order_id", id}});
                         return "F-" + id;
                       }).compensate(undo_first);

void undo_second(activity_context& ctx, const std::string& id, notebook& book) {
  book.note("undo second");
  write_row(ctx, "undo second " + id);
  book.perhaps_fail("cannot undo yet");
}
constexpr auto second =
    activity("second", [](activity_context& ctx, const std::string& id) -> void { write_row(ctx, "second " + id); })
        .compensate(undo_second)
        .retry(fixed(10ms).max_attempts(3));

constexpr auto flaky = activity("flaky", [](activity_context& ctx, const std::string& id, notebook& book) -> int {
                         book.note("flaky " + std::to_string(ctx.attempt()));
                         write_row(ctx, "flaky " + id);
                         send_event_transactional(ctx, "flaky.done", "test", {{"order_id", id}});
                         book.perhaps_fail("not yet");
                         return ctx.attempt();
                       }).retry(exponential(100ms).max_attempts(5));

constexpr auto doomed = activity("doomed", [](external_context&, notebook& book) -> void {
  book.note("doomed");
  throw terminal_error{"there is no way"};
});

constexpr auto scopes =
    activity("scopes", [](activity_context& ctx, const std::string& how, notebook& book) -> std::string {
      std::string log;
      const auto lose = [&](const char* what) {
        try {
          ctx.transaction([&] {
            write_row(ctx, std::string{"lost "} + what);
            send_event_transactional(ctx, "lost", "test", {{"what", what}});
            ctx.on_commit([&book] { book.note("lost action"); });
            throw std::runtime_error{what};
          });
        } catch (const std::runtime_error& e) {
          log += e.what();
        }
      };
      const auto keep = [&](const char* what, const std::function<void()>& inside) {
        ctx.transaction([&] {
          write_row(ctx, std::string{"kept "} + what);
          send_event_transactional(ctx, "kept", "test", {{"what", what}});
          inside();
        });
      };
      if (how == "inner lost") {
        write_row(ctx, "outer");
        send_event_transactional(ctx, "outer", "test", {{"x", 1}});
        lose("a");
        lose("a");
        ctx.on_commit([&book] { book.note("kept action"); });
      } else if (how == "three deep") {
        keep("1", [&] { keep("2", [&] { lose("3"); }); });
      } else if (how == "inner kept outer lost") {
        try {
          keep("1", [&] {
            keep("2", [] {});
            throw std::runtime_error{"after"};
          });
        } catch (const std::runtime_error&) {
          log = "lost both";
        }
        write_row(ctx, "afterwards");
      } else if (how == "session late") { // the savepoint is opened in the database only when the session is first used
        ctx.transaction([&] {
          send_event_transactional(ctx, "kept", "test", {{"what", "event"}});
          write_row(ctx, "kept late");
          lose("late");
        });
      } else if (how == "too deep") {
        std::function<void()> deeper = [&] { ctx.transaction([&] { deeper(); }); };
        deeper();
      } else if (how == "commit") {
        write_row(ctx, "before the commit");
        try {
          ctx.session() << "COMMIT";
        } catch (const soci::soci_error&) {
          log = "swallowed";
        }
      } else if (how == "rollback") {
        write_row(ctx, "before the rollback");
        ctx.session() << "INSERT INTO unique_rows VALUES (1)";
        try {
          ctx.session() << "INSERT OR ROLLBACK INTO unique_rows VALUES (1)";
        } catch (const soci::soci_error&) {
          log = "swallowed";
        }
        write_row(ctx, "after the rollback");
      } else if (how == "rollback, savepoint") {
        write_row(ctx, "before the rollback");
        ctx.session() << "INSERT INTO unique_rows VALUES (1)";
        try {
          ctx.session() << "INSERT OR ROLLBACK INTO unique_rows VALUES (1)";
        } catch (const soci::soci_error&) {
          log = "swallowed";
        }
        try {
          ctx.transaction([&] { write_row(ctx, "in a savepoint of its own"); });
        } catch (const std::exception&) {
          log += " twice";
        }
      }
      return log;
    }).retry(no_retry());

constexpr auto announce =
    workflow("announce", [](workflow_context<first>& ctx, const std::string& id) -> task<std::string> {
      const nlohmann::json data{{"order_id", id}};
      const auto options = event_options{}.id("the only one");
      std::string said = "said";
      try {
        co_await send_event_transactional(ctx, "announced", "test", data, options);
      } catch (const activity_failed& e) {
        said = e.failure().step;
      }
      co_await ctx.call<first>(id);
      co_return said;
    });

constexpr auto lazy = activity("lazy", [](activity_context& ctx, notebook& book) -> void {
  send_event_transactional(ctx, "lazy", "test", {{"x", 1}});
  book.meanwhile();
});

constexpr auto payload = activity("payload", [](activity_context&, const std::string& what) -> nlohmann::json {
                           if (what == "nan") return std::numeric_limits<double>::quiet_NaN();
                           if (what == "latin1") return "caf\xe9";
                           if (what == "large") return std::string(2 * 1024 * 1024, 'x');
                           return what;
                         }).retry(no_retry());

constexpr auto saga =
    workflow("saga", [](workflow_context<first, second, doomed>& ctx, const std::string& id) -> task<std::string> {
      const auto output = co_await ctx.call<first>(id);
      co_await ctx.call<second>(id);
      co_await ctx.call<doomed>();
      co_return output;
    });

constexpr auto plain =
    workflow("plain", [](workflow_context<first, flaky>& ctx, const std::string& id) -> task<std::string> {
      const auto output = co_await ctx.call<first>(id);
      const int attempts = co_await ctx.call<flaky>(id);
      const auto rows = co_await ctx.transaction([&](activity_context& tx) {
        write_row(tx, "inline " + id);
        send_event_transactional(tx, "inline.done", "test", {{"order_id", id}});
        return 7;
      });
      const nlohmann::json data{{"order_id", id}};
      const auto event = co_await send_event_transactional(ctx, "body.done", "test", data);
      co_return output + ' ' + std::to_string(attempts) + ' ' + std::to_string(rows) + ' ' + event;
    });

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

constexpr auto scoped =
    workflow("scoped", [](workflow_context<scopes>& ctx, const std::string& how) -> task<std::string> {
      co_return co_await ctx.call<scopes>(how);
    });
constexpr auto idle = workflow("idle", [](workflow_context<lazy>& ctx, int) -> task<> { co_await ctx.call<lazy>(); });
constexpr auto loaded =
    workflow("loaded", [](workflow_context<payload>& ctx, const std::string& what) -> task<nlohmann::json> {
      co_return co_await ctx.call<payload>(what);
    });

namespace changed { // tomorrow's code, under today's name
constexpr auto plain =
    workflow("plain", [](workflow_context<second, flaky>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<second>(id);
      co_return "other";
    });
constexpr auto shorter =
    workflow("plain", [](workflow_context<>&, const std::string&) -> task<std::string> { co_return "none"; });
constexpr auto retyped_first = activity("first", [](activity_context&, const std::string&) -> int { return 1; });
constexpr auto retyped =
    workflow("plain", [](workflow_context<retyped_first>& ctx, const std::string& id) -> task<std::string> {
      const int number = co_await ctx.call<retyped_first>(id);
      co_return std::to_string(number);
    });
constexpr auto without_undo = activity("second", [](activity_context&, const std::string&) -> void {});
constexpr auto saga =
    workflow("saga", [](workflow_context<without_undo>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<without_undo>(id);
      co_return "";
    });
} // namespace changed

// -- the fixture ------------------------------------------------------------------------------------------------------

template <const auto&... Workflows> class world : public simulation {
public:
  explicit world(const std::string& file, notebook& book, app_options options = {})
      : simulation{file, std::move(options), definitions<Workflows...>(), given(book)}, book_{book} {
    db().session() << "CREATE TABLE IF NOT EXISTS rows_written (text TEXT)";
    db().session() << "CREATE TABLE IF NOT EXISTS unique_rows (id INTEGER PRIMARY KEY)";
    book.now = [this] { return now(); };
  }
  ~world() { book_.now = nullptr; }

  bool ends(const std::string& id, int steps = 100'000) {
    return run_until([&] { return is_settled(instance(id).status) && !instance(id).instance_id.empty(); }, steps);
  }
  names rows() {
    names all;
    std::string text;
    soci::statement select = (db().session().prepare << "SELECT text FROM rows_written ORDER BY rowid", soci::into(text));
    for (bool more = select.execute(true); more; more = select.fetch()) all.push_back(text);
    return all;
  }

private:
  static detail::dependency_set given([[maybe_unused]] notebook& book) {
    using needed = typename detail::closure<Workflows...>::dependencies;
    if constexpr (needed::size == 0)
      return {};
    else
      return dependencies<Workflows...>(book);
  }
  notebook& book_;
};

class WorkflowInstance : public ::testing::Test {
protected:
  temporary_directory directory;
  std::string file = directory.file("test.db");
  notebook book;

  /// Of the instance A in the database, whatever lives.
  std::string app_status() const {
    const auto db = database::open(database_url::parse(file), {}, 1s);
    return std::string{to_string(instance_table{*db}.find("A").value_or(instance_record{}).status)};
  }
};

// -- running ----------------------------------------------------------------------------------------------------------

TEST_F(WorkflowInstance, CommitsEachStepWithItsRowsItsEventsAndItsHistory) {
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

TEST_F(WorkflowInstance, TriesAgainAtTheExactTimesOfItsPolicyAndKeepsNothingOfFailedAttempts) {
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

TEST_F(WorkflowInstance, RecordsFailuresAsOutcomesThatTheWorkflowCanHandle) {
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

TEST_F(WorkflowInstance, HoldsNoTransactionBeforeTheSessionIsUsed) {
  world<idle> app{file, book};
  bool wrote = false;
  book.meanwhile = [&] { // another connection can write while the activity runs
    app.db().begin();
    app.db().session() << "INSERT INTO rows_written VALUES ('meanwhile')";
    app.db().commit();
    wrote = true;
  };
  app.start("idle", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_TRUE(wrote);
  EXPECT_EQ(app.instance("A").status, instance_status::completed);
  EXPECT_EQ(app.event_types(), names{"lazy"});
}

TEST_F(WorkflowInstance, FailsAnAttemptWhosePayloadCannotBeStored) {
  world<loaded> app{file, book};
  for (const auto* what : {"nan", "latin1", "large", "fine"}) app.start("loaded", {what}, what);
  for (const auto* what : {"nan", "latin1", "large", "fine"}) ASSERT_TRUE(app.ends(what)) << what;
  EXPECT_NE(app.instance("nan").error.find("NaN"), std::string::npos) << app.instance("nan").error;
  EXPECT_NE(app.instance("latin1").error.find("not UTF-8"), std::string::npos) << app.instance("latin1").error;
  EXPECT_NE(app.instance("large").error.find("max_payload_bytes"), std::string::npos) << app.instance("large").error;
  EXPECT_EQ(app.instance("fine").status, instance_status::completed);
}

// -- savepoints -------------------------------------------------------------------------------------------------------

TEST_F(WorkflowInstance, UndoesASavepointAloneAlsoWhenItIsTriedTwice) {
  world<scoped> app{file, book};
  app.start("scoped", {"inner lost"}, "A");
  ASSERT_TRUE(app.ends("A"));
  app.settle();
  EXPECT_EQ(app.instance("A").output, R"("aa")");
  EXPECT_EQ(app.rows(), names{"outer"});
  EXPECT_EQ(app.event_types(), names{"outer"});
  EXPECT_EQ(book.lines, names{"kept action"});
}

TEST_F(WorkflowInstance, NestsSavepointsThreeDeep) {
  world<scoped> app{file, book};
  app.start("scoped", {"three deep"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.rows(), (names{"kept 1", "kept 2"}));
  EXPECT_EQ(app.event_types(), (names{"kept", "kept"}));
}

TEST_F(WorkflowInstance, LosesAKeptSavepointWithTheOneAroundIt) {
  world<scoped> app{file, book};
  app.start("scoped", {"inner kept outer lost"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, R"("lost both")");
  EXPECT_EQ(app.rows(), names{"afterwards"});
  EXPECT_TRUE(app.event_types().empty());
}

TEST_F(WorkflowInstance, OpensSavepointsLateWhenTheSessionIsUsedLate) {
  world<scoped> app{file, book};
  app.start("scoped", {"session late"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.rows(), names{"kept late"});
  EXPECT_EQ(app.event_types(), names{"kept"});
}

TEST_F(WorkflowInstance, LimitsTheDepthOfSavepoints) {
  world<scoped> app{file, book};
  app.start("scoped", {"too deep"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::failed);
  EXPECT_NE(app.instance("A").error.find("max_scope_depth"), std::string::npos) << app.instance("A").error;
}

TEST_F(WorkflowInstance, RefusesARawCommitAndFailsTheAttemptEvenWhenTheErrorIsSwallowed) {
  world<scoped> app{file, book};
  app.start("scoped", {"commit"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::failed);
  EXPECT_NE(app.instance("A").error.find("tried to run COMMIT"), std::string::npos) << app.instance("A").error;
  EXPECT_TRUE(app.rows().empty());
}

TEST_F(WorkflowInstance, SurvivesSqlThatRollsTheWholeTransactionBackAndHarmsNobodyElse) {
  world<scoped, plain> app{file, book};
  app.start("plain", {"B"}, "B");
  app.start("scoped", {"rollback"}, "A");
  app.start("plain", {"C"}, "C");
  for (const auto* id : {"A", "B", "C"}) ASSERT_TRUE(app.ends(id)) << id;
  EXPECT_EQ(app.instance("A").status, instance_status::failed);
  EXPECT_NE(app.instance("A").error.find("rolled the whole transaction back"), std::string::npos)
      << app.instance("A").error;
  EXPECT_EQ(app.instance("B").status, instance_status::completed);
  EXPECT_EQ(app.instance("C").status, instance_status::completed);
  auto rows = app.rows();
  std::sort(rows.begin(), rows.end());
  EXPECT_EQ(rows, (names{"first B", "first C", "flaky B", "flaky C", "inline B", "inline C"}));
}

TEST_F(WorkflowInstance, CommitsNothingInASavepointAfterTheTransactionHasEnded) {
  world<scoped> app{file, book};
  app.start("scoped", {"rollback, savepoint"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::failed);
  EXPECT_TRUE(app.rows().empty());
}

TEST_F(WorkflowInstance, WaitsForALockedDatabaseWithoutUsingUpAttempts) {
  world<plain> app{file, book};
  app.start("plain", {"A"}, "A");
  ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 1; }));
  app.db().begin(); // as another process that holds the lock
  app.advance(10s);
  EXPECT_FALSE(app.health().read().ok);
  app.db().commit();
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::completed);
  EXPECT_EQ(app.count("SELECT max(attempts) FROM workflow_history"), 1);
  EXPECT_TRUE(app.health().read().ok);
}

// -- compensation -----------------------------------------------------------------------------------------------------

TEST_F(WorkflowInstance, UndoesTheStepCompletedLastFirstAndTriesAgain) {
  world<saga> app{file, book};
  book.failures_left = 2;
  app.start("saga", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::failed);
  EXPECT_EQ(app.instance("A").error, "doomed:1 failed after 1 attempt: there is no way");
  EXPECT_EQ(app.history("A"),
            (names{"first:1 ActivityCompleted", "second:1 ActivityCompleted", "doomed:1 ActivityFailed",
                   "@compensate:second:1 CompensationExecuted", "@compensate:first:1 CompensationExecuted"}));
  EXPECT_EQ(app.rows(), (names{"first A", "second A", "undo second A", "undo first F-A"}));
  EXPECT_EQ(app.event_types(), (names{"first.done", "first.undone"}));
}

TEST_F(WorkflowInstance, SaysWhatCouldNotBeUndoneAndUndoesTheRest) {
  world<saga> app{file, book};
  book.failures_left = 3;
  app.start("saga", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::failed);
  EXPECT_EQ(app.instance("A").error,
            "doomed:1 failed after 1 attempt: there is no way; not undone: second:1 (cannot undo yet)");
  EXPECT_EQ(app.rows(), (names{"first A", "second A", "undo first F-A"}));
}

TEST_F(WorkflowInstance, ParksWhenTheCodeNoLongerHasTheCompensation) {
  {
    world<saga> app{file, book};
    app.start("saga", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.instance("A").status == instance_status::compensating; }));
  }
  app_options options;
  world<changed::saga> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("no compensation for an activity 'second'"), std::string::npos)
      << app.instance("A").error;
}

// -- replay -----------------------------------------------------------------------------------------------------------

/// kill -9 after the k-th message, for every k.
TEST_F(WorkflowInstance, LosesAndRepeatsNothingWhateverMessageIsTheLast) {
  int crashes = 0;
  for (int k = 0;; ++k) {
    const auto path = directory.file("crash-" + std::to_string(k) + ".db");
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
  EXPECT_GT(crashes, 20);
}

class counting_hooks final : public lifecycle_hooks {
public:
  int replays = 0;
  void on_replay(const workflow_info&, int steps) override {
    EXPECT_EQ(steps, 4);
    ++replays;
  }
};

TEST_F(WorkflowInstance, SendsTheEventOfAWorkflowBodyOnceInTenReplays) {
  notebook paper;
  const auto hooks = std::make_shared<counting_hooks>();
  { // everything but the end
    world<plain> app{file, paper};
    app.start("plain", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 4; }));
    app.crash();
  }
  for (int replay = 1; replay <= 10; ++replay) {
    world<plain> app{file, paper, {.hooks = hooks}};
    ASSERT_TRUE(app.run_until([&] { return hooks->replays == replay; })) << replay;
    app.crash(); // before its end is committed
    ASSERT_EQ(app_status(), "running") << replay;
  }
  world<plain> app{file, paper};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.event_types(), (names{"first.done", "flaky.done", "inline.done", "body.done"}));
  EXPECT_EQ(paper.lines, (names{"first", "flaky 1"}));
}

TEST_F(WorkflowInstance, ReplaysAnEventThatCouldNotBeSentAsTheFailureItWas) {
  {
    world<announce> app{file, book};
    app.start("announce", {"A"}, "A");
    ASSERT_TRUE(app.ends("A"));
    app.start("announce", {"B"}, "B");
    ASSERT_TRUE(app.run_until([&] { return app.history("B").size() == 1; }));
    app.crash();
  }
  world<announce> app{file, book};
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.instance("A").output, R"("said")");
  EXPECT_EQ(app.instance("B").output, R"("@send_event:1")");
  EXPECT_EQ(app.history("B"), (names{"@send_event:1 EventFailed", "first:1 ActivityCompleted"}));
}

TEST_F(WorkflowInstance, ParksOnAMismatchAndNamesBothSides) {
  {
    world<plain> app{file, book};
    app.start("plain", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 1; }));
    app.crash();
  }
  world<changed::plain> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::parked);
  EXPECT_EQ(app.instance("A").error,
            "at position 1 history has first:1 (ActivityCompleted), the workflow plain asks for second:1 (activity)");
  EXPECT_EQ(app.history("A").size(), 1U); // nothing ran, nothing was undone
}

TEST_F(WorkflowInstance, ParksWhenTheWorkflowEndsBeforeItsHistory) {
  {
    world<plain> app{file, book};
    app.start("plain", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 2; }));
    app.crash();
  }
  world<changed::shorter> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("history has flaky:1 at position 2"), std::string::npos)
      << app.instance("A").error;
}

TEST_F(WorkflowInstance, ParksOnAGapInHistoryBeforeAnythingRunsInIt) {
  {
    world<plain> app{file, book};
    app.start("plain", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 2; }));
    app.crash();
  }
  world<plain> app{file, book};
  app.db().session() << "DELETE FROM workflow_history WHERE position = 1";
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("nothing at position 1"), std::string::npos) << app.instance("A").error;
  EXPECT_EQ(std::count(book.lines.begin(), book.lines.end(), "first"), 1);
}

TEST_F(WorkflowInstance, ParksWhenTheOutputInHistoryNoLongerFitsItsType) {
  {
    world<plain> app{file, book};
    app.start("plain", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 1; }));
    app.crash();
  }
  world<changed::retyped> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("cannot read the output of first:1"), std::string::npos)
      << app.instance("A").error;
}

// -- ownership --------------------------------------------------------------------------------------------------------

TEST_F(WorkflowInstance, CommitsNothingOnceAnotherWorkerHasTakenTheInstanceOver) {
  world<plain> app{file, book};
  app.start("plain", {"A"}, "A");
  ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 1; }));
  app.db().session() << "UPDATE workflow_instances SET owner_epoch = 'other', fence = fence + 1";
  app.advance(3s);
  EXPECT_EQ(app.history("A").size(), 1U);
  EXPECT_EQ(app.rows(), names{"first A"});
  EXPECT_EQ(app.event_types(), names{"first.done"});
}

TEST_F(WorkflowInstance, BeginsAnewWhenThisWorkerWasSilentForTooLong) {
  world<plain> app{file, book};
  book.failures_left = 2;
  app.start("plain", {"A"}, "A");
  ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 1; }));
  // As another worker does it that found our lease run out.
  app.db().session() << "DELETE FROM worker_epochs";
  app.db().session() << "UPDATE workflow_instances SET owner_epoch = NULL";
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::completed);
  EXPECT_EQ(app.rows(), (names{"first A", "flaky A", "inline A"}));
}

TEST_F(WorkflowInstance, IsNotTakenOverBecauseNobodyCouldWriteForLongerThanTheLease) {
  world<plain> app{file, book};
  app.advance(1s);
  app.db().session() << "INSERT INTO worker_epochs VALUES ('neighbour', 'w', 'elsewhere', '1:1', '2026', "
                        "'2026-01-01 00:00:11.000000')";
  app.advance(1s);
  app.db().begin(); // someone holds the lock, and neither of the two can renew
  app.advance(20s);
  app.db().commit();
  app.advance(6s); // our own late renewal says nothing about the neighbour's
  EXPECT_EQ(app.count("SELECT count(*) FROM worker_epochs WHERE epoch = 'neighbour'"), 1);
  app.advance(20s); // but it has not come back since
  EXPECT_EQ(app.count("SELECT count(*) FROM worker_epochs WHERE epoch = 'neighbour'"), 0);
}

TEST_F(WorkflowInstance, GoesOnAfterAnyActorWasKilled) {
  for (const auto* name : {"timekeeper", "transaction_coordinator", "worker_lease", "executor_pool", "dispatcher"}) {
    notebook paper;
    paper.failures_left = 3;
    world<plain> app{directory.file(std::string{"kill-"} + name + ".db"), paper};
    app.start("plain", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 1; })) << name;
    app.kill(name);
    ASSERT_TRUE(app.ends("A")) << name;
    EXPECT_EQ(app.instance("A").status, instance_status::completed) << name;
    EXPECT_EQ(app.rows(), (names{"first A", "flaky A", "inline A"})) << name;
  }
}

// -- hooks ------------------------------------------------------------------------------------------------------------

class recording_hooks final : public lifecycle_hooks {
public:
  names lines;
  bool throwing = false;

  void on_workflow_start(const workflow_info& w) override { say("start " + w.instance_id); }
  void on_workflow_complete(const workflow_info& w) override { say("complete " + w.instance_id); }
  void on_workflow_failed(const workflow_info& w, const std::string&) override { say("failed " + w.instance_id); }
  void on_replay(const workflow_info& w, int steps) override {
    say("replay " + w.instance_id + ' ' + std::to_string(steps));
  }
  void on_activity_start(const activity_info& a) override { say("start " + a.step + ' ' + std::to_string(a.attempt)); }
  void on_activity_complete(const activity_info& a) override { say("complete " + a.step); }
  void on_activity_failed(const activity_info& a, const std::string&) override { say("failed " + a.step); }
  void on_activity_retry(const activity_info& a, const std::string&, std::chrono::milliseconds delay) override {
    say("retry " + a.step + " after " + std::to_string(delay.count()));
  }
  void on_event_sent(const event_info& e) override { say("sent " + e.type); }
  void on_event_delivered(const event_info& e) override { say("delivered " + e.type); }

private:
  void say(std::string line) {
    lines.push_back(std::move(line));
    if (throwing) throw std::runtime_error{"a bad hook"};
  }
};

TEST_F(WorkflowInstance, TellsItsHooksInOrderAndSurvivesTheirExceptions) {
  for (const bool throwing : {false, true}) {
    notebook paper;
    paper.failures_left = 1;
    const auto hooks = std::make_shared<recording_hooks>();
    hooks->throwing = throwing;
    world<plain> app{directory.file(throwing ? "throwing.db" : "hooks.db"), paper, {.hooks = hooks}};
    app.start_relayer({.enabled = true, .broker_url = "http://broker/"});
    app.start("plain", {"A"}, "A");
    ASSERT_TRUE(app.ends("A"));
    app.advance(2s);
    const auto at = [&](const char* line) {
      const auto found = std::find(hooks->lines.begin(), hooks->lines.end(), line);
      EXPECT_NE(found, hooks->lines.end()) << line;
      return found - hooks->lines.begin();
    };
    EXPECT_EQ(at("start A"), 0);
    EXPECT_LT(at("start first:1 1"), at("complete first:1"));
    EXPECT_LT(at("start flaky:1 1"), at("retry flaky:1 after 100"));
    EXPECT_LT(at("retry flaky:1 after 100"), at("start flaky:1 2"));
    EXPECT_LT(at("sent flaky.done"), at("delivered flaky.done"));
    EXPECT_LT(at("sent body.done"), at("complete A"));
    EXPECT_EQ(app.count("SELECT count(*) FROM outbox_events WHERE status = 'published'"), 4);
  }
}

} // namespace
} // namespace romancy::testing
