// Transactions, savepoints, and what a connection refuses while it is lent: the same on every database.
#include "storage/database.hpp"

#include "tests/storage/storage_fixture.hpp"

namespace romancy::testing {
namespace {

class Database : public connected {
protected:
  std::unique_ptr<database> db = open();

  Database() {
    db->session() << "CREATE TABLE t (x INTEGER PRIMARY KEY)";
    db->roll_back(); // MySQL has committed it by itself
  }
  void insert(int x) { db->session() << "INSERT INTO t VALUES (:x)", soci::use(x); }
  /// As another connection sees them: "1 2".
  std::string committed() const {
    const auto other = open();
    std::string all;
    for (const auto& x : texts(*other, "SELECT cast(x AS CHAR(9)) FROM t ORDER BY x"))
      all += (all.empty() ? "" : " ") + x.substr(0, x.find(' '));
    return all;
  }
};

TEST_P(Database, ShowsNothingToOthersBeforeCommit) {
  db->begin();
  EXPECT_TRUE(db->in_transaction());
  insert(1);
  EXPECT_EQ(committed(), "");
  db->commit();
  EXPECT_FALSE(db->in_transaction());
  EXPECT_EQ(committed(), "1");
}

TEST_P(Database, ForgetsWhatIsRolledBack) {
  db->begin();
  insert(1);
  db->roll_back();
  EXPECT_FALSE(db->in_transaction());
  EXPECT_EQ(number(*db, "SELECT count(*) FROM t"), 0);
  EXPECT_NO_THROW(db->roll_back()); // again
}

TEST_P(Database, UndoesExactlyTheSavepointThatRollsBack) {
  db->begin();
  db->open_savepoint(0);
  insert(1);
  db->open_savepoint(1);
  insert(2);
  db->open_savepoint(2);
  insert(3);
  db->open_savepoint(3);
  insert(4);
  db->roll_back_savepoint(3);
  insert(5);
  db->release_savepoint(2);
  db->open_savepoint(2);
  insert(6);
  db->roll_back_savepoint(2);
  db->release_savepoint(1);
  insert(7);
  db->release_savepoint(0);
  db->commit();
  EXPECT_EQ(committed(), "1 2 3 5 7");
}

TEST_P(Database, UndoesWhatInnerSavepointsHadReleased) {
  db->begin();
  db->open_savepoint(0);
  insert(1);
  db->open_savepoint(1);
  db->open_savepoint(2);
  db->open_savepoint(3);
  insert(2);
  db->release_savepoint(3);
  db->release_savepoint(2);
  db->roll_back_savepoint(1);
  db->release_savepoint(0);
  db->commit();
  EXPECT_EQ(committed(), "1");
}

TEST_P(Database, GoesOnAfterAFailedStatementWhoseSavepointIsUndone) {
  db->begin();
  db->open_savepoint(0);
  insert(1);
  db->open_savepoint(1);
  insert(2);
  EXPECT_EQ(kind_of_failure([&] { insert(1); }), failure_kind::unique_violation);
  EXPECT_EQ(db->is_spoiled(), is(database_url::backend::postgresql));
  db->roll_back_savepoint(1);
  EXPECT_FALSE(db->is_spoiled());
  insert(3);
  db->release_savepoint(0);
  db->commit();
  EXPECT_EQ(committed(), "1 3");
}

TEST_P(Database, OpensNoSavepointOutsideOfATransaction) {
  EXPECT_THROW(db->open_savepoint(0), storage_failure);
  EXPECT_THROW(db->open_savepoint(1), storage_failure);
}

TEST_P(Database, RefusesTransactionStatementsOnlyWhileItIsLent) {
  using words = std::vector<std::string>;
  words refused{"COMMIT",
                "commit",
                "ROLLBACK",
                "BEGIN",
                "SAVEPOINT x",
                "ROLLBACK TO SAVEPOINT romancy_1",
                " /* a */ -- b\n COMMIT"};
  const words of_sqlite3{"END", "RELEASE romancy_1", "PRAGMA query_only = ON", "ATTACH ':memory:' AS m",
                         "CREATE TEMP TABLE y (x)"};
  const words of_postgresql{"END",
                            "ABORT",
                            "START TRANSACTION",
                            "RELEASE romancy_1",
                            "SET search_path = x",
                            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
                            "RESET ALL",
                            "DISCARD ALL",
                            "LISTEN x",
                            "PREPARE TRANSACTION 'x'",
                            "CREATE TEMP TABLE y (x int)",
                            "INSERT INTO t VALUES (9); COMMIT"};
  const words of_mysql{"START TRANSACTION",
                       "SET autocommit = 1",
                       "USE mysql",
                       "RELEASE SAVEPOINT romancy_1",
                       "XA START 'x'",
                       "CREATE TABLE y (x INT)",
                       "DROP TABLE t",
                       "TRUNCATE TABLE t",
                       "ALTER TABLE t ADD y INT",
                       "LOCK TABLES t WRITE",
                       "/*!40000 COMMIT */",
                       "CREATE TEMPORARY TABLE y (x INT)"};
  const auto& own = is(database_url::backend::sqlite3)      ? of_sqlite3
                    : is(database_url::backend::postgresql) ? of_postgresql
                                                            : of_mysql;
  refused.insert(refused.end(), own.begin(), own.end());
  db->begin();
  db->open_savepoint(0);
  insert(1);
  for (const auto& text : refused) {
    db->lend();
    EXPECT_EQ(db->refused(), "");
    EXPECT_THROW(db->session() << text, soci::soci_error) << text;
    EXPECT_NE(db->refused(), "") << text;
    db->take_back();
    EXPECT_TRUE(db->in_transaction()) << text;
    EXPECT_FALSE(db->is_spoiled()) << text;
  }
  db->lend();
  EXPECT_THROW(db->session() << "COMMIT", soci::soci_error);
  EXPECT_THROW(db->session() << "ROLLBACK", soci::soci_error);
  EXPECT_EQ(db->refused(), "COMMIT"); // the first
  db->take_back();
  EXPECT_EQ(committed(), "");
  db->session() << "SAVEPOINT mine";
  db->commit();
  EXPECT_EQ(committed(), "1");
}

TEST_P(Database, RunsWhatOnlyLooksLikeAStatementThatIsRefused) {
  db->begin();
  db->open_savepoint(0);
  db->lend();
  std::string text;
  for (const auto* sql : {"SELECT 'COMMIT'", "SELECT 'a; COMMIT' AS \"begin\"", "-- COMMIT\nSELECT 'x'",
                          "/* ; COMMIT */ SELECT 'x'", "SELECT 'it''s; ROLLBACK'"})
    EXPECT_NO_THROW((db->session() << sql, soci::into(text))) << sql;
  EXPECT_EQ(text, "it's; ROLLBACK");
  EXPECT_EQ(db->refused(), "");
  db->take_back();
  db->commit();
}

TEST_P(Database, OpensSavepointsOfItsOwnWhileItIsLent) {
  db->begin();
  db->open_savepoint(0);
  db->lend();
  insert(1);
  db->open_savepoint(1);
  insert(2);
  db->roll_back_savepoint(1);
  db->take_back();
  EXPECT_TRUE(db->in_transaction());
  db->release_savepoint(0);
  db->commit();
  EXPECT_EQ(committed(), "1");
}

TEST_P(Database, TellsItsHookOfEachStatement) {
  std::vector<std::string> seen;
  const auto watched = open({.on_statement = [&](const char* sql) { seen.push_back(sql); }});
  seen.clear();
  watched->begin();
  watched->session() << "INSERT INTO t VALUES (1)";
  watched->commit();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].find("BEGIN"), 0U) << seen[0];
  EXPECT_EQ(seen[1], "INSERT INTO t VALUES (1)");
  EXPECT_EQ(seen[2], "COMMIT");
}

TEST_P(Database, SaysWhichConstraintWasViolated) {
  db->session() << "CREATE TABLE parents (id INTEGER PRIMARY KEY)";
  db->session() << "CREATE TABLE children (parent INTEGER, x INTEGER NOT NULL, CONSTRAINT positive CHECK (x > 0), "
                   "FOREIGN KEY (parent) REFERENCES parents(id))";
  db->roll_back();
  const auto kind = [&](const char* sql) {
    db->begin();
    const auto found = kind_of_failure([&] { db->session() << sql; });
    db->roll_back();
    return found;
  };
  insert(1);
  if (db->in_transaction()) db->commit();
  EXPECT_EQ(kind("INSERT INTO t VALUES (1)"), failure_kind::unique_violation);
  EXPECT_EQ(kind("INSERT INTO children VALUES (1, 1)"), failure_kind::constraint_violation);
  EXPECT_EQ(kind("INSERT INTO children VALUES (NULL, NULL)"), failure_kind::constraint_violation);
  EXPECT_EQ(kind("INSERT INTO children VALUES (NULL, 0)"), failure_kind::constraint_violation);
  EXPECT_EQ(kind("INSERT INTO nowhere VALUES (1)"), failure_kind::other);
}

ROMANCY_ON_EVERY_DATABASE(Database);

} // namespace
} // namespace romancy::testing
