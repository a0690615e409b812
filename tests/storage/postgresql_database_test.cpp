// What is true of PostgreSQL only.
#include "storage/postgresql_database.hpp"

#include "tests/storage/storage_fixture.hpp"

namespace romancy::testing {
namespace {

class PostgresqlDatabase : public connected {
protected:
  std::unique_ptr<database> db = open();

  PostgresqlDatabase() { db->session() << "CREATE TABLE t (x INTEGER PRIMARY KEY, y INTEGER)"; }
  void insert(int x) { db->session() << "INSERT INTO t VALUES (:x, 0)", soci::use(x); }
};

TEST_P(PostgresqlDatabase, DoesNotCommitATransactionInWhichAStatementHasFailed) {
  db->begin();
  insert(1);
  EXPECT_THROW(insert(1), soci::soci_error);
  EXPECT_TRUE(db->is_spoiled());
  EXPECT_TRUE(db->in_transaction());
  EXPECT_EQ(kind_of_failure([&] { insert(2); }), failure_kind::other);
  const auto why = refusal<storage_failure>([&] { db->commit(); });
  EXPECT_EQ(why, "cannot commit: a statement of the transaction has failed");
  EXPECT_TRUE(db->in_transaction());
  db->roll_back();
  EXPECT_FALSE(db->is_spoiled());
  EXPECT_EQ(number(*db, "SELECT count(*) FROM t"), 0);
}

TEST_P(PostgresqlDatabase, StaysSpoiledUntilTheSavepointAroundTheFailedStatementIsUndone) {
  db->begin();
  insert(1);
  db->open_savepoint(1);
  db->open_savepoint(2);
  EXPECT_THROW(insert(1), soci::soci_error);
  EXPECT_TRUE(db->is_spoiled());
  EXPECT_THROW(db->open_savepoint(3), storage_failure);
  EXPECT_THROW(db->release_savepoint(2), storage_failure);
  db->roll_back_savepoint(2);
  EXPECT_FALSE(db->is_spoiled());
  db->release_savepoint(1);
  db->commit();
  EXPECT_EQ(number(*db, "SELECT count(*) FROM t"), 1);
}

TEST_P(PostgresqlDatabase, SaysWhenACommitItselfFails) {
  db->session() << "CREATE TABLE children (x INTEGER REFERENCES t(x) DEFERRABLE INITIALLY DEFERRED)";
  db->begin();
  insert(1);
  db->session() << "INSERT INTO children VALUES (9)";
  EXPECT_EQ(kind_of_failure([&] { db->commit(); }), failure_kind::constraint_violation);
  EXPECT_FALSE(db->in_transaction());
  EXPECT_EQ(number(*db, "SELECT count(*) FROM t"), 0);
}

TEST_P(PostgresqlDatabase, TakesSerializationFailuresForConflicts) {
  insert(1);
  const auto other = open();
  for (const auto* level : {"REPEATABLE READ", "SERIALIZABLE"}) {
    db->begin();
    db->session() << "SET TRANSACTION ISOLATION LEVEL " + std::string{level};
    EXPECT_EQ(number(*db, "SELECT count(*) FROM t"), 1);
    other->begin();
    other->session() << "UPDATE t SET y = y + 1";
    other->commit();
    EXPECT_EQ(kind_of_failure([&] { db->session() << "UPDATE t SET y = y + 1"; }), failure_kind::conflict) << level;
    db->roll_back();
  }
}

TEST_P(PostgresqlDatabase, TakesASerializationFailureOfCommitForAConflict) {
  const auto other = open();
  for (auto* each : {db.get(), other.get()}) {
    each->begin();
    each->session() << "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE";
    EXPECT_EQ(number(*each, "SELECT count(*) FROM t"), 0);
  }
  insert(1);
  other->session() << "INSERT INTO t VALUES (2, 0)";
  db->commit();
  EXPECT_EQ(kind_of_failure([&] { other->commit(); }), failure_kind::conflict);
  EXPECT_FALSE(other->in_transaction());
  EXPECT_EQ(number(*db, "SELECT count(*) FROM t"), 1);
}

TEST_P(PostgresqlDatabase, IsUnavailableWhenItWasIdleInATransactionForTooLong) {
  const auto other = open();
  db->session() << "SET idle_in_transaction_session_timeout = 1";
  db->begin();
  while (number(*other,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                "state LIKE 'idle in transaction%'") > 0)
    std::this_thread::sleep_for(1ms);
  EXPECT_EQ(kind_of_failure([&] { insert(2); }), failure_kind::unavailable);
}

TEST_P(PostgresqlDatabase, SaysNothingOfNotices) {
  ::testing::internal::CaptureStderr();
  db->session() << "CREATE TABLE IF NOT EXISTS t (x INTEGER)";
  db->roll_back();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

INSTANTIATE_TEST_SUITE_P(, PostgresqlDatabase, ::testing::Values(database_url::backend::postgresql), name_of_parameter);

} // namespace
} // namespace romancy::testing
