#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace {

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

constexpr auto scoped =
    workflow("scoped", [](workflow_context<scopes>& ctx, const std::string& how) -> task<std::string> {
      co_return co_await ctx.call<scopes>(how);
    });
constexpr auto lazy = activity("lazy", [](activity_context& ctx, notebook& book) -> void {
  send_event_transactional(ctx, "lazy", "test", {{"x", 1}});
  book.meanwhile();
});

constexpr auto idle = workflow("idle", [](workflow_context<lazy>& ctx, int) -> task<> { co_await ctx.call<lazy>(); });
constexpr auto adopt =
    activity("adopt", [](activity_context& ctx, const std::string& how, notebook& book) -> std::string {
      book.note(how);
      const auto child = [&](const char* table) {
        ctx.session() << std::string{"INSERT INTO "} + table + " (name, parent) VALUES (:how, 'nobody')", soci::use(how);
      };
      if (how == "at once") {
        write_row(ctx, "before");
        child("children");
      } else if (how == "left open") {
        book.meanwhile();
        write_row(ctx, "before");
        child("children_later");
        book.meanwhile();
      } else if (how == "closed again") {
        child("children_later");
        ctx.session() << "INSERT INTO parents (name) VALUES ('nobody')";
      } else if (how == "undone") {
        try {
          ctx.transaction([&] {
            child("children_later");
            throw std::runtime_error{"no"};
          });
        } catch (const std::runtime_error&) {
          write_row(ctx, "after");
        }
      }
      return "adopted";
    }).retry(fixed(10ms).max_attempts(2));
constexpr auto family = workflow("family", [](workflow_context<adopt>& ctx, const std::string& how) -> task<std::string> {
  co_return co_await ctx.call<adopt>(how);
});

class TransactionCoordinatorOnSqlite3 : public workflow_fixture<sqlite3_file> {};

class TransactionCoordinator : public workflow_fixture<> {};

void make_families(database& db) {
  const std::string text = "VARCHAR(50)";
  db.session() << "CREATE TABLE parents (name " + text + " PRIMARY KEY)";
  const auto child = "(name " + text + ", parent " + text + ", FOREIGN KEY (parent) REFERENCES parents (name)";
  db.session() << "CREATE TABLE children " + child + ")";
  if (db.dialect().name != mysql_dialect.name)
    db.session() << "CREATE TABLE children_later " + child + " DEFERRABLE INITIALLY DEFERRED)";
}

TEST_P(TransactionCoordinator, HoldsNoTransactionBeforeTheSessionIsUsed) {
  world<idle> app{file, book};
  bool wrote = false;
  book.meanwhile = [&] { // another connection can write while the activity runs
    app.db().begin();
    app.db().session() << "INSERT INTO rows_written (text) VALUES ('meanwhile')";
    app.db().commit();
    wrote = true;
  };
  app.start("idle", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_TRUE(wrote);
  EXPECT_EQ(app.instance("A").status, instance_status::completed);
  EXPECT_EQ(app.event_types(), names{"lazy"});
}

TEST_P(TransactionCoordinator, UndoesASavepointAloneAlsoWhenItIsTriedTwice) {
  world<scoped> app{file, book};
  app.start("scoped", {"inner lost"}, "A");
  ASSERT_TRUE(app.ends("A"));
  app.settle();
  EXPECT_EQ(app.instance("A").output, R"("aa")");
  EXPECT_EQ(app.rows(), names{"outer"});
  EXPECT_EQ(app.event_types(), names{"outer"});
  EXPECT_EQ(book.lines, names{"kept action"});
}

TEST_P(TransactionCoordinator, NestsSavepointsThreeDeep) {
  world<scoped> app{file, book};
  app.start("scoped", {"three deep"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.rows(), (names{"kept 1", "kept 2"}));
  EXPECT_EQ(app.event_types(), (names{"kept", "kept"}));
}

TEST_P(TransactionCoordinator, LosesAKeptSavepointWithTheOneAroundIt) {
  world<scoped> app{file, book};
  app.start("scoped", {"inner kept outer lost"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, R"("lost both")");
  EXPECT_EQ(app.rows(), names{"afterwards"});
  EXPECT_TRUE(app.event_types().empty());
}

TEST_P(TransactionCoordinator, OpensSavepointsLateWhenTheSessionIsUsedLate) {
  world<scoped> app{file, book};
  app.start("scoped", {"session late"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.rows(), names{"kept late"});
  EXPECT_EQ(app.event_types(), names{"kept"});
}

TEST_P(TransactionCoordinator, LimitsTheDepthOfSavepoints) {
  world<scoped> app{file, book};
  app.start("scoped", {"too deep"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::failed);
  EXPECT_NE(app.instance("A").error.find("max_scope_depth"), std::string::npos) << app.instance("A").error;
}

constexpr auto meddle = activity("meddle", [](activity_context& ctx, const std::string& how) -> void {
                          auto& native = ctx.session().native_handle();
                          write_row(ctx, how);
                          try {
                            if (how == "commit") native.commit();
                            if (how == "rollback") native.rollback();
                            if (how == "begin") native.begin();
                            if (how == "transaction") {
                              soci::transaction mine{native};
                              mine.commit();
                            }
                          } catch (const soci::soci_error&) { // swallowed
                          }
                          write_row(ctx, "after " + how);
                        }).retry(fixed(10ms).max_attempts(3));
constexpr auto meddling = workflow(
    "meddling", [](workflow_context<meddle>& ctx, const std::string& how) -> task<> { co_await ctx.call<meddle>(how); });

TEST_P(TransactionCoordinator, RefusesToCommitThroughTheNativeSession) {
  world<meddling> app{file, book};
  for (const auto* how : {"commit", "rollback", "begin", "transaction"}) {
    app.start("meddling", {how}, how);
    ASSERT_TRUE(app.ends(how)) << how;
    EXPECT_EQ(app.status(how), instance_status::failed) << how;
    EXPECT_NE(app.instance(how).error.find("meddle:1 failed after 1 attempt: it tried to run "), std::string::npos)
        << how << ": " << app.instance(how).error;
  }
  EXPECT_TRUE(app.rows().empty());
}

TEST_P(TransactionCoordinator, RefusesARawCommitAndFailsTheAttemptEvenWhenTheErrorIsSwallowed) {
  world<scoped> app{file, book};
  app.start("scoped", {"commit"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::failed);
  EXPECT_NE(app.instance("A").error.find("tried to run COMMIT"), std::string::npos) << app.instance("A").error;
  EXPECT_TRUE(app.rows().empty());
}

TEST_F(TransactionCoordinatorOnSqlite3, SurvivesSqlThatRollsTheWholeTransactionBackAndHarmsNobodyElse) {
  world<scoped, plain> app{file, book};
  app.db().session() << "CREATE TABLE unique_rows (id INTEGER PRIMARY KEY)";
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

TEST_F(TransactionCoordinatorOnSqlite3, CommitsNothingInASavepointAfterTheTransactionHasEnded) {
  world<scoped> app{file, book};
  app.db().session() << "CREATE TABLE unique_rows (id INTEGER PRIMARY KEY)";
  app.start("scoped", {"rollback, savepoint"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").status, instance_status::failed);
  EXPECT_TRUE(app.rows().empty());
}

TEST_F(TransactionCoordinatorOnSqlite3, WaitsForALockedDatabaseWithoutUsingUpAttempts) {
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

// -- foreign keys -----------------------------------------------------------------------------------------------------

TEST_P(TransactionCoordinator, FailsAnAttemptThatViolatesAForeignKey) {
  world<family> app{file, book};
  make_families(app.db());
  app.start("family", {"at once"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_NE(app.instance("A").error.find("failed after 2 attempts"), std::string::npos) << app.instance("A").error;
  auto why = app.instance("A").error;
  std::transform(why.begin(), why.end(), why.begin(), [](unsigned char c) { return std::tolower(c); });
  EXPECT_NE(why.find("foreign key constraint"), std::string::npos) << why;
  EXPECT_TRUE(app.rows().empty());
}

TEST_F(TransactionCoordinatorOnSqlite3, FailsOnlyTheAttemptThatLeavesADeferredForeignKeyOpen) {
  world<family, plain> app{file, book};
  make_families(app.db());
  int times = 0;
  book.meanwhile = [&] {
    ++times;
    if (times == 1) { // the session is not used yet: the other one runs, and what it wrote waits for the end of the batch
      ASSERT_TRUE(app.run_until([&] { return book.lines.back() == "first"; }));
    } else if (times == 2) {
      EXPECT_TRUE(app.history("B").empty());
    }
  };
  app.start("family", {"left open"}, "A");
  app.start("plain", {"B"}, "B");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_EQ(app.history("A"), names{"adopt:1 ActivityFailed"});
  EXPECT_NE(app.text("SELECT event_data FROM workflow_history WHERE instance_id = 'A'")
                .find("FOREIGN KEY constraint "
                      "failed"),
            std::string::npos);
  EXPECT_EQ(std::count(book.lines.begin(), book.lines.end(), "left open"), 2);
  EXPECT_EQ(app.count("SELECT count(*) FROM children_later"), 0);
  EXPECT_EQ(app.status("B"), instance_status::completed);
  EXPECT_EQ(std::count(book.lines.begin(), book.lines.end(), "first"), 1);
  EXPECT_EQ(app.rows(), (names{"first B", "flaky B", "inline B"}));
}

TEST_F(TransactionCoordinatorOnSqlite3, CommitsADeferredForeignKeyThatIsClosedWithinTheAttempt) {
  world<family> app{file, book};
  make_families(app.db());
  app.start("family", {"closed again"}, "A");
  app.start("family", {"undone"}, "B");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.status("A"), instance_status::completed) << app.instance("A").error;
  EXPECT_EQ(app.status("B"), instance_status::completed) << app.instance("B").error;
  EXPECT_EQ(app.count("SELECT count(*) FROM children_later"), 1);
  EXPECT_EQ(app.rows(), names{"after"});
}

TEST_F(TransactionCoordinatorOnSqlite3, FailsOnlyTheStepForWhichATriggerLeavesAForeignKeyOpen) {
  world<idle, plain> app{file, book};
  make_families(app.db());
  app.db().session() << "CREATE TRIGGER audit AFTER INSERT ON outbox_events WHEN NEW.event_type = 'lazy' "
                        "BEGIN INSERT INTO children_later VALUES ('a', 'nobody'); END";
  book.meanwhile = [] {};
  app.start("idle", {1}, "A");
  app.start("plain", {"B"}, "B");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_NE(app.instance("A").error.find("FOREIGN KEY constraint failed"), std::string::npos) << app.instance("A").error;
  EXPECT_EQ(app.count("SELECT count(*) FROM children_later"), 0);
  EXPECT_EQ(app.status("B"), instance_status::completed);
  EXPECT_EQ(app.rows(), (names{"first B", "flaky B", "inline B"}));
}

TEST_F(TransactionCoordinatorOnSqlite3, FailsOnlyTheStepForWhichATriggerRollsTheTransactionBack) {
  world<idle, plain> app{file, book};
  app.db().session() << "CREATE TRIGGER audit AFTER INSERT ON outbox_events WHEN NEW.event_type = 'lazy' "
                        "BEGIN SELECT RAISE(ROLLBACK, 'not in my table'); END";
  book.meanwhile = [] {};
  app.start("idle", {1}, "A");
  app.start("plain", {"B"}, "B");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_NE(app.instance("A").error.find("not in my table"), std::string::npos) << app.instance("A").error;
  EXPECT_EQ(app.status("B"), instance_status::completed);
  EXPECT_EQ(app.rows(), (names{"first B", "flaky B", "inline B"}));
  EXPECT_EQ(app.event_types(), (names{"first.done", "flaky.done", "inline.done", "body.done"}));
}

/// Waits for the lock that its own session holds.
constexpr auto entangled =
    activity("entangled", [](activity_context& ctx, const std::string& path, notebook& book) -> void {
      book.note("entangled");
      write_row(ctx, "through the session");
      soci::session own{"sqlite3", "db=" + path};
      own << "INSERT INTO rows_written (text) VALUES ('beside it')";
    }).retry(fixed(10ms).max_attempts(3));
constexpr auto entangling = workflow(
    "entangling",
    [](workflow_context<entangled>& ctx, const std::string& path) -> task<> { co_await ctx.call<entangled>(path); });

TEST_F(TransactionCoordinatorOnSqlite3, CountsALockThatAnotherConnectionOfTheAttemptWaitedForAsItsFault) {
  world<entangling> app{file, book};
  app.start("entangling", {file}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_NE(app.instance("A").error.find("locked"), std::string::npos) << app.instance("A").error;
  EXPECT_EQ(book.lines, (names{"entangled", "entangled", "entangled"}));
  EXPECT_TRUE(app.rows().empty());
}

std::shared_ptr<soci::statement> left_open;
constexpr auto leaky = activity("leaky", [](activity_context& ctx) -> void {
  static std::string text;
  left_open =
      std::make_shared<soci::statement>((ctx.session().prepare << "SELECT text FROM rows_written", soci::into(text)));
  left_open->execute(true); // the first of two
});
constexpr auto leaking =
    workflow("leaking", [](workflow_context<leaky>& ctx, int) -> task<> { co_await ctx.call<leaky>(); });

TEST_P(TransactionCoordinator, GoesOnAlthoughAnAttemptLeavesAStatementOpenAndOthersWrite) {
  world<leaking, patient> app{file, book};
  for (int i = 0; i < 2; ++i) app.db().session() << "INSERT INTO rows_written (text) VALUES ('before')";
  app.start("leaking", {1}, "L");
  ASSERT_TRUE(app.ends("L"));
  EXPECT_EQ(app.status("L"), instance_status::completed);
  app.db().session() << "INSERT INTO rows_written (text) VALUES ('of another process')";
  app.start("patient", {"A"}, "A");
  EXPECT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::completed);
  left_open.reset(); // its session ends with the app
}

/// Holds the session for 30 ms, in vain.
constexpr auto hold = activity("hold", [](activity_context& ctx, const std::string& id, notebook& book) -> void {
                        write_row(ctx, id);
                        book.note(id);
                        book.meanwhile();
                        throw std::runtime_error{"in vain"};
                      }).retry(no_retry());
constexpr auto holding = workflow(
    "holding", [](workflow_context<hold>& ctx, const std::string& id) -> task<> { co_await ctx.call<hold>(id); });

TEST_F(TransactionCoordinatorOnSqlite3, LeavesTheLockToOthersForAMomentAlsoWhileAttemptsFail) {
  world<holding> app{file, book};
  book.meanwhile = [&] { app.pass(30ms); };
  for (const auto* id : {"A", "B", "C", "D"}) app.start("holding", {id}, id);
  for (const auto* id : {"A", "B", "C", "D"}) ASSERT_TRUE(app.ends(id));
  EXPECT_EQ(book.times, (std::vector<long long>{0, 30, 63, 93})); // 3 ms after 60 of its own
}

ROMANCY_ON_EVERY_DATABASE(TransactionCoordinator);

} // namespace
} // namespace romancy::testing
