// What is true of SQLite only.
#include "storage/sqlite3_database.hpp"

#include <fstream>

#include <romancy/error.hpp>

#include "tests/storage/storage_fixture.hpp"
#include "testing/temporary_directory.hpp"

namespace romancy::testing {
namespace {

class Sqlite3Database : public ::testing::Test {
protected:
  temporary_directory directory;
  std::string file = directory.file("test.db");
  database_url url = database_url::parse(file);

  std::unique_ptr<database> open(std::chrono::milliseconds patience = 1s) { return database::open(url, {}, patience); }
  std::string why_not_open() {
    return refusal<startup_error>([&] { open(50ms); });
  }
};

TEST_F(Sqlite3Database, NamesAMissingDirectory) {
  url.path = directory.file("nowhere/test.db");
  EXPECT_NE(why_not_open().find("nowhere' does not exist: create it"), std::string::npos) << why_not_open();
}

TEST_F(Sqlite3Database, NamesAFileThatIsNoDatabase) {
  std::ofstream{file} << std::string(5000, 'x');
  EXPECT_NE(why_not_open().find("no SQLite database"), std::string::npos) << why_not_open();
}

TEST_F(Sqlite3Database, SaysThatItIsLocked) {
  const auto holder = open();
  holder->session() << "PRAGMA locking_mode = EXCLUSIVE";
  holder->session() << "CREATE TABLE t (x)";
  EXPECT_NE(why_not_open().find("locked by another process"), std::string::npos) << why_not_open();
}

TEST_F(Sqlite3Database, NamesItsFileWhenTheWriteLockDoesNotComeInTime) {
  const auto holder = open();
  const auto db = database::open(url, {.busy_timeout = 20ms}, 1s);
  holder->begin();
  const auto why = refusal<storage_failure>([&] { db->begin(); });
  EXPECT_EQ(why.find("cannot begin a transaction in '" + file + "'"), 0U) << why;
  EXPECT_NE(why.find("another process holds the lock"), std::string::npos) << why;
  holder->roll_back();
  EXPECT_NO_THROW(db->begin());
}

TEST_F(Sqlite3Database, EnforcesForeignKeysAndKnowsWhichAreOwed) {
  const auto db = open();
  db->session() << "CREATE TABLE parents (id INTEGER PRIMARY KEY)";
  db->session() << "CREATE TABLE children (parent INTEGER REFERENCES parents(id))";
  db->session() << "CREATE TABLE orphans (parent INTEGER REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED)";
  try {
    db->session() << "INSERT INTO children VALUES (1)";
    FAIL() << "it is refused at once";
  } catch (const soci::soci_error& e) {
    const auto failure = storage_failure::from(e, "write");
    EXPECT_EQ(failure.kind(), failure_kind::constraint_violation);
    EXPECT_FALSE(failure.retryable());
  }

  db->begin();
  EXPECT_FALSE(db->owes_foreign_keys());
  db->open_savepoint(0);
  db->session() << "INSERT INTO orphans VALUES (1)";
  EXPECT_TRUE(db->owes_foreign_keys());
  db->session() << "INSERT INTO parents VALUES (1)";
  EXPECT_FALSE(db->owes_foreign_keys());
  db->release_savepoint(0);
  db->open_savepoint(0);
  db->session() << "INSERT INTO orphans VALUES (2)";
  EXPECT_TRUE(db->owes_foreign_keys());
  db->roll_back_savepoint(0);
  EXPECT_FALSE(db->owes_foreign_keys());
  db->commit();

  db->begin();
  db->session() << "INSERT INTO orphans VALUES (3)";
  EXPECT_TRUE(db->owes_foreign_keys());
  EXPECT_THROW(db->commit(), storage_failure);
  db->roll_back();
  EXPECT_FALSE(db->owes_foreign_keys());
  int rows = -1;
  db->session() << "SELECT count(*) FROM orphans", soci::into(rows);
  EXPECT_EQ(rows, 1);
}

TEST_F(Sqlite3Database, CommitsNothingThatUserCodeWritesAfterItsTransactionHasEnded) {
  const auto db = open();
  db->session() << "CREATE TABLE t (x INTEGER PRIMARY KEY)";
  db->begin();
  db->open_savepoint(0);
  db->lend();
  db->session() << "INSERT INTO t VALUES (1)";
  EXPECT_THROW(db->session() << "INSERT OR ROLLBACK INTO t VALUES (1)", soci::soci_error);
  EXPECT_FALSE(db->in_transaction());
  EXPECT_THROW(db->session() << "INSERT INTO t VALUES (2)", soci::soci_error);
  EXPECT_THROW(db->open_savepoint(1), storage_failure); // it would begin a transaction, and its release commit it
  db->take_back();
  int rows = -1;
  db->session() << "SELECT count(*) FROM t", soci::into(rows);
  EXPECT_EQ(rows, 0);
}

TEST_F(Sqlite3Database, KeepsAnEventWithARowWrittenByHand) {
  const auto db = open();
  migrations::apply(*db);
  outbox_table outbox{*db};
  db->session()
      << "INSERT INTO outbox_events (event_id, event_type, event_source, event_data) VALUES ('h', 't', 's', '{}')";
  db->session() << "INSERT INTO outbox_events (event_id, event_type, event_source, event_data, created_at) "
                   "VALUES ('bad', 't', 's', '{}', 'yesterday')";
  db->begin();
  const auto claimed =
      outbox.claim("one", 9, std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()) + 1s);
  db->commit();
  ASSERT_EQ(claimed.size(), 2U);
  EXPECT_TRUE(claimed[0].unreadable.empty());
  EXPECT_NE(claimed[1].unreadable.find("yesterday"), std::string::npos);
}

} // namespace
} // namespace romancy::testing
