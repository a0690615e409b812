// What is true of MySQL only.
#include "storage/mysql_database.hpp"

#include "tests/storage/storage_fixture.hpp"

namespace romancy::testing {
namespace {

class MysqlDatabase : public connected {
protected:
  std::unique_ptr<database> db = open();

  MysqlDatabase() { db->session() << "CREATE TABLE t (x INTEGER PRIMARY KEY)"; }
  void insert(int x) { db->session() << "INSERT INTO t VALUES (:x)", soci::use(x); }
  long long committed() const { return number(*open(), "SELECT count(*) FROM t"); }
};

TEST_P(MysqlDatabase, NoticesThatAProcedureHasCommitted) {
  db->session() << "CREATE PROCEDURE commits() BEGIN INSERT INTO t VALUES (100); COMMIT; END";
  db->begin();
  db->open_savepoint(0);
  db->lend();
  db->session() << "CALL commits()";
  insert(2);
  db->take_back();
  EXPECT_FALSE(db->in_transaction());
  EXPECT_EQ(kind_of_failure([&] { db->commit(); }), failure_kind::conflict);
  EXPECT_EQ(committed(), 1); // what the procedure has committed cannot be taken back; the rest is
  db->begin();
  EXPECT_TRUE(db->in_transaction());
  insert(3);
  db->commit();
  EXPECT_EQ(committed(), 2);
}

TEST_P(MysqlDatabase, OpensAndUndoesNoSavepointOnceItsTransactionHasEnded) {
  db->begin();
  db->open_savepoint(0);
  db->lend();
  db->open_savepoint(1);
  insert(1);
  db->take_back();
  db->session() << "ROLLBACK"; // as a deadlock does
  EXPECT_FALSE(db->in_transaction());
  EXPECT_EQ(kind_of_failure([&] { db->open_savepoint(1); }), failure_kind::conflict);
  EXPECT_EQ(kind_of_failure([&] { db->roll_back_savepoint(1); }), failure_kind::conflict);
  EXPECT_EQ(committed(), 0);
}

TEST_P(MysqlDatabase, ReadsWhatOthersHaveCommittedMeanwhile) {
  const auto other = open();
  db->begin();
  EXPECT_EQ(number(*db, "SELECT count(*) FROM t"), 0);
  other->begin();
  other->session() << "INSERT INTO t VALUES (1)";
  other->commit();
  EXPECT_EQ(number(*db, "SELECT count(*) FROM t"), 1);
  db->commit();
}

TEST_P(MysqlDatabase, IsStrictWhateverTheServerIsSetTo) {
  db->session() << "CREATE TABLE s (x VARCHAR(2))";
  db->begin();
  EXPECT_EQ(kind_of_failure([&] { db->session() << "INSERT INTO s VALUES ('abc')"; }), failure_kind::other);
  db->roll_back();
}

TEST_P(MysqlDatabase, KeepsManyConnectionsOfOneName) {
  std::vector<std::unique_ptr<database>> named;
  for (int i = 0; i < 10; ++i) named.push_back(open({.name = "worker-with-a-long-name-" + std::string(36, 'x')}));
  db->break_connections("worker-with-a-long-name-" + std::string(36, 'x'));
  for (const auto& each : named) EXPECT_EQ(kind_of_failure([&] { each->begin(); }), failure_kind::unavailable);
}

INSTANTIATE_TEST_SUITE_P(, MysqlDatabase, ::testing::Values(database_url::backend::mysql), name_of_parameter);

} // namespace
} // namespace romancy::testing
