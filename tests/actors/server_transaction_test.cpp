/// What is different where each attempt has a transaction of its own, and connections come and go.
#include "tests/actors/workflow_fixture.hpp"

#include "actors/message_types.hpp"
#include "storage/storage_failure.hpp"
#include "tests/support/refused_writes.hpp"

namespace romancy::testing {
namespace {

class ServerTransaction : public workflow_fixture<> {
protected:
  /// Ends all connections to the database but that of the test.
  void cut_all(simulation& app) const {
    auto& sql = app.db().session();
    if (is(database_url::backend::postgresql)) {
      sql << "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND "
             "pid <> pg_backend_pid()";
      return;
    }
    std::vector<long long> all;
    long long id = 0;
    soci::statement select = (sql.prepare << "SELECT id FROM information_schema.processlist WHERE db = database() AND "
                                             "id <> connection_id()",
                              soci::into(id));
    for (bool more = select.execute(true); more; more = select.fetch()) all.push_back(id);
    for (const auto other : all) sql << "KILL CONNECTION " + std::to_string(other);
    while (app.count("SELECT count(*) FROM information_schema.processlist WHERE db = database()") > 1) {
    }
  }
};

constexpr auto careless =
    activity("careless", [](activity_context& ctx, const std::string& how, notebook& book) -> std::string {
      book.note(how);
      write_row(ctx, "before");
      const auto fail = [&] { ctx.session() << "INSERT INTO no_such_table VALUES (1)"; };
      if (how == "swallowed") {
        try {
          fail();
        } catch (const soci::soci_error&) { // and goes on
        }
      } else if (how == "in a savepoint") {
        try {
          ctx.transaction(fail);
        } catch (const soci::soci_error&) { // undone alone
        }
      }
      return "done";
    }).retry(fixed(10ms).max_attempts(2));
constexpr auto carelessly =
    workflow("carelessly", [](workflow_context<careless>& ctx, const std::string& how) -> task<std::string> {
      co_return co_await ctx.call<careless>(how);
    });

TEST_P(ServerTransaction, SaysToUseCtxTransactionWhenAnSqlErrorWasCaughtWithoutASavepoint) {
  world<carelessly> app{file, book};
  app.start("carelessly", {"swallowed"}, "A");
  app.start("carelessly", {"in a savepoint"}, "B");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.status("B"), instance_status::completed) << app.instance("B").error;
  if (is(database_url::backend::postgresql)) {
    EXPECT_EQ(app.status("A"), instance_status::failed);
    EXPECT_NE(app.instance("A").error.find("Run the statement in ctx.transaction"), std::string::npos)
        << app.instance("A").error;
    EXPECT_EQ(app.rows(), names{"before"});
  } else { // MySQL undoes the statement alone
    EXPECT_EQ(app.status("A"), instance_status::completed) << app.instance("A").error;
    EXPECT_EQ(app.rows(), (names{"before", "before"}));
  }
}

/// Does `what` to the database, and handles its error in one way or another.
void handle(activity_context& ctx, const std::string& how, const std::function<void()>& what) {
  try {
    if (how == "in a savepoint")
      ctx.transaction(what);
    else
      what();
  } catch (const std::exception&) {
    if (how == "let go") throw;
    if (how == "own words") throw std::runtime_error{"no"};
  } // else it goes on
}

constexpr auto entangled =
    activity("entangled", [](activity_context& ctx, const std::string& how, notebook& book) -> int {
      book.note("attempt " + std::to_string(ctx.attempt()));
      write_row(ctx, "mine");
      send_event_transactional(ctx, "entangled", "test", {{"x", 1}});
      handle(ctx, how, [&] {
        ctx.session() << "UPDATE accounts SET amount = amount + 1 WHERE id = 1";
        book.meanwhile();
        ctx.session() << "UPDATE accounts SET amount = amount + 1 WHERE id = 2";
      });
      return ctx.attempt();
    }).retry(no_retry());
constexpr auto entangling =
    workflow("entangling", [](workflow_context<entangled>& ctx, const std::string& how) -> task<int> {
      co_return co_await ctx.call<entangled>(how);
    });

/// Another transaction holds the row for longer than ours waits.
TEST_P(ServerTransaction, RunsTheWholeAttemptAgainAfterALockThatDidNotComeWithNothingLeftOfTheFirst) {
  // To PostgreSQL it is the same as NOWAIT, which is for the code to handle: what it throws itself counts there.
  const bool may_handle = is(database_url::backend::postgresql);
  for (const auto& how :
       may_handle ? names{"let go", "in a savepoint"} : names{"let go", "own words", "in a savepoint"}) {
    const bool handled = may_handle && how == "in a savepoint";
    book.lines.clear();
    world<entangling> app{another(), book};
    app.db().session() << "CREATE TABLE accounts (id INT PRIMARY KEY, amount INT)";
    app.db().session() << "INSERT INTO accounts VALUES (1, 0), (2, 0)";
    bool held = false;
    book.meanwhile = [&] {
      if (held) {
        app.db().roll_back();
      } else {
        app.db().begin();
        app.db().session() << "UPDATE accounts SET amount = 100 WHERE id = 2";
        held = true;
      }
    };
    app.start("entangling", {how}, "A");
    ASSERT_TRUE(app.ends("A")) << how;
    EXPECT_EQ(app.status("A"), instance_status::completed) << how << ": " << app.instance("A").error;
    EXPECT_EQ(app.instance("A").output, "1") << how; // not counted
    EXPECT_EQ(book.lines, handled ? names{"attempt 1"} : (names{"attempt 1", "attempt 1"})) << how;
    EXPECT_EQ(app.rows(), names{"mine"}) << how;
    EXPECT_EQ(app.event_types(), names{"entangled"}) << how;
    if (handled) app.db().roll_back();
    EXPECT_EQ(app.count("SELECT min(amount) + max(amount) FROM accounts"), handled ? 0 : 2) << how;
  }
}

constexpr auto isolated = activity("isolated", [](activity_context& ctx, notebook& book) -> int {
  book.note("attempt " + std::to_string(ctx.attempt()));
  int before = 0, after = 0;
  ctx.session() << "SELECT amount FROM accounts WHERE id = 1", soci::into(before);
  book.meanwhile();
  ctx.session() << "SELECT amount FROM accounts WHERE id = 1", soci::into(after);
  return after - before;
});
constexpr auto repeatable = activity("repeatable", [](activity_context& ctx, notebook& book) -> int {
                              return isolated.run()(ctx, book);
                            }).isolation(isolation_level::repeatable_read);
constexpr auto isolating =
    workflow("isolating", [](workflow_context<isolated, repeatable>& ctx, bool strictly) -> task<int> {
      if (strictly) {
        const int kept = co_await ctx.call<repeatable>();
        co_return kept;
      }
      const int seen = co_await ctx.call<isolated>();
      co_return seen;
    });

TEST_P(ServerTransaction, IsolatesAsFarAsTheActivitySays) {
  world<isolating> app{file, book};
  app.db().session() << "CREATE TABLE accounts (id INT PRIMARY KEY, amount INT)";
  app.db().session() << "INSERT INTO accounts VALUES (1, 0)";
  book.meanwhile = [&] { app.db().session() << "UPDATE accounts SET amount = amount + 1"; };
  app.start("isolating", {false}, "A");
  app.start("isolating", {true}, "B");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.instance("A").output, "1") << app.instance("A").error;
  EXPECT_EQ(app.instance("B").output, "0") << app.instance("B").error;
}

constexpr auto serialized = activity("serialized",
                                     [](activity_context& ctx, const std::string& how, notebook& book) -> int {
                                       book.note("attempt " + std::to_string(ctx.attempt()));
                                       write_row(ctx, "mine");
                                       int more = 0;
                                       handle(ctx, how, [&] {
                                         ctx.session() << "SELECT amount FROM accounts WHERE id = 1", soci::into(more);
                                         book.meanwhile();
                                         ++more;
                                         ctx.session() << "UPDATE accounts SET amount = :more WHERE id = 1",
                                             soci::use(more);
                                       });
                                       return more;
                                     })
                                .retry(no_retry())
                                .isolation(isolation_level::repeatable_read);
constexpr auto serializing =
    workflow("serializing", [](workflow_context<serialized>& ctx, const std::string& how) -> task<int> {
      co_return co_await ctx.call<serialized>(how);
    });

/// PostgreSQL refuses to write over what came after the first statement; MySQL lets the last writer win.
TEST_P(ServerTransaction, RunsTheWholeAttemptAgainAfterASerializationFailureWhateverItsCodeMakesOfTheError) {
  const bool refused = is(database_url::backend::postgresql);
  for (const auto* how : {"let go", "own words", "in a savepoint", "swallowed"}) {
    book.lines.clear();
    world<serializing> app{another(), book};
    app.db().session() << "CREATE TABLE accounts (id INT PRIMARY KEY, amount INT)";
    app.db().session() << "INSERT INTO accounts VALUES (1, 0)";
    book.meanwhile = [&] {
      if (book.lines.size() == 1) app.db().session() << "UPDATE accounts SET amount = 10";
    };
    app.start("serializing", {how}, "A");
    ASSERT_TRUE(app.ends("A")) << how;
    EXPECT_EQ(app.instance("A").output, refused ? "11" : "1") << how << ": " << app.instance("A").error;
    EXPECT_EQ(book.lines, refused ? (names{"attempt 1", "attempt 1"}) : names{"attempt 1"}) << how;
    EXPECT_EQ(app.rows(), names{"mine"}) << how;
  }
}

/// All connections are cut after the k-th message, for every third k.
TEST_P(ServerTransaction, LosesAndRepeatsNothingWheneverItsConnectionsAreCut) {
  int cuts = 0;
  for (int k = 1;; k += 3) {
    notebook paper;
    world<plain, saga> app{another(), paper};
    app.start_relayer({.enabled = true, .broker_url = "http://broker/"});
    app.start("plain", {"P"}, "P");
    app.start("saga", {"S"}, "S");
    app.run_until([] { return false; }, k);
    const bool ended = is_settled(app.instance("P").status) && is_settled(app.instance("S").status) &&
                       !app.instance("P").instance_id.empty() && !app.instance("S").instance_id.empty();
    cut_all(app);
    ++cuts;
    ASSERT_TRUE(app.ends("P")) << "k = " << k;
    ASSERT_TRUE(app.ends("S")) << "k = " << k;
    ASSERT_EQ(app.instance("P").output, R"("F-P 1 7 P/@send_event:1")") << "k = " << k;
    ASSERT_EQ(app.instance("S").error, "doomed:1 failed after 1 attempt: there is no way") << "k = " << k;
    auto rows = app.rows();
    std::sort(rows.begin(), rows.end());
    ASSERT_EQ(rows, (names{"first P", "first S", "flaky P", "inline P", "second S", "undo first F-S", "undo second S"}))
        << "k = " << k;
    ASSERT_TRUE(app.run_until([&] {
      return app.count("SELECT count(*) FROM outbox_events WHERE status = 'published'") == 6 && app.sent.size() >= 6;
    })) << "k = "
        << k;
    ASSERT_LT(app.now(), 60s) << "k = " << k;
    if (ended) break;
  }
  EXPECT_GT(cuts, 15);
}

/// The answer to a COMMIT is lost, though it was done; or it was not done. For every COMMIT.
TEST_P(ServerTransaction, LooksUpWhatBecameOfACommitWhoseAnswerWasLost) {
  for (const bool done : {true, false}) {
    for (int n = 1;; ++n) {
      notebook paper;
      world<plain, saga> app{another(), paper};
      app.start_relayer({.enabled = true, .broker_url = "http://broker/"});
      int commits = 0;
      bool inside = false;
      app.on_statement = [&](database& db, std::string_view sql) {
        if (sql != "COMMIT" || inside || ++commits != n) return;
        inside = true;
        if (done) db.session() << "COMMIT";
        cut_all(app);
        inside = false;
      };
      app.start("plain", {"P"}, "P");
      app.start("saga", {"S"}, "S");
      ASSERT_TRUE(app.ends("P")) << "n = " << n << ", done: " << done;
      ASSERT_TRUE(app.ends("S")) << "n = " << n << ", done: " << done;
      ASSERT_TRUE(app.run_until([&] {
        return app.count("SELECT count(*) FROM outbox_events WHERE status = 'published'") == 6;
      })) << "n = "
          << n << ", done: " << done;
      ASSERT_EQ(app.instance("P").output, R"("F-P 1 7 P/@send_event:1")") << "n = " << n << ", done: " << done;
      ASSERT_EQ(app.instance("S").error, "doomed:1 failed after 1 attempt: there is no way") << "n = " << n;
      auto rows = app.rows();
      std::sort(rows.begin(), rows.end());
      ASSERT_EQ(rows, (names{"first P", "first S", "flaky P", "inline P", "second S", "undo first F-S", "undo second S"}))
          << "n = " << n << ", done: " << done;
      ASSERT_EQ(app.count("SELECT count(*) FROM outbox_events"), 6) << "n = " << n << ", done: " << done;
      ASSERT_LT(app.now(), 30s) << "n = " << n << ", done: " << done;
      if (commits < n) {
        EXPECT_GT(n, 15);
        break;
      }
    }
  }
}

ROMANCY_ON_EVERY_SERVER(ServerTransaction);

} // namespace
} // namespace romancy::testing
