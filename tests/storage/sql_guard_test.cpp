#include "storage/sql_guard.hpp"

#include <gtest/gtest.h>

namespace romancy::testing {
namespace {

std::string on_postgresql(std::string_view sql) { return refused_statement(sql, false); }
std::string on_mysql(std::string_view sql) { return refused_statement(sql, true); }

TEST(SqlGuard, NamesWhatItRefuses) {
  EXPECT_EQ(on_postgresql("commit"), "COMMIT");
  EXPECT_EQ(on_postgresql("rollback to savepoint x"), "ROLLBACK TO");
  EXPECT_EQ(on_postgresql("SET TIME ZONE 'UTC'"), "SET TIME");
  EXPECT_EQ(on_postgresql("CREATE TEMP TABLE t (x int)"), "CREATE TEMP");
  EXPECT_EQ(on_postgresql("create local temporary table t (x int)"), "CREATE TEMP");
  EXPECT_EQ(on_postgresql("CREATE OR REPLACE TEMP VIEW v AS SELECT 1"), "CREATE TEMP");
  EXPECT_EQ(on_postgresql("SELECT x INTO TEMP TABLE t FROM u"), "SELECT INTO TEMP");
  EXPECT_EQ(on_postgresql("SELECT x INTO LOCAL TEMP t FROM u"), "SELECT INTO TEMP");
  EXPECT_EQ(on_postgresql("INSERT INTO temperatures VALUES (1)"), "");
  EXPECT_EQ(on_postgresql("CREATE TABLE t (x int)"), "");
  EXPECT_EQ(on_mysql("CREATE TABLE t (x int)"), "CREATE TABLE");
}

TEST(SqlGuard, LooksAtEachStatement) {
  EXPECT_EQ(on_postgresql("INSERT INTO t VALUES (1);\n COMMIT"), "COMMIT");
  EXPECT_EQ(on_postgresql("SELECT 1 # 2; COMMIT"), "COMMIT"); // an operator there
  EXPECT_EQ(on_postgresql("SELECT E'\\''; COMMIT"), "COMMIT");
  EXPECT_EQ(on_postgresql("SELECT '\\'; COMMIT"), "COMMIT"); // a whole quote there
  EXPECT_EQ(on_postgresql("SELECT \"\\\"; COMMIT"), "COMMIT");
  EXPECT_EQ(on_postgresql("SELECT $a$ ; $a$; COMMIT"), "COMMIT");
}

TEST(SqlGuard, LooksIntoCommentsThatMysqlRuns) {
  EXPECT_EQ(on_mysql("/*!40000 COMMIT */"), "COMMIT");
  EXPECT_EQ(on_mysql("/*! COMMIT */"), "COMMIT");
  EXPECT_EQ(on_mysql("/*M!100100 COMMIT */"), "COMMIT");
  EXPECT_EQ(on_postgresql("/*! COMMIT */ SELECT 1"), "");
}

TEST(SqlGuard, OverlooksQuotesAndComments) {
  EXPECT_EQ(on_postgresql("SELECT 'a; COMMIT', \"b; COMMIT\" -- ; COMMIT\n /* ; COMMIT */"), "");
  EXPECT_EQ(on_postgresql("SELECT $$; COMMIT$$, $body$; COMMIT$body$, 'it''s; COMMIT'"), "");
  EXPECT_EQ(on_mysql("SELECT 'it\\'s; COMMIT', \"b\\\"; COMMIT\", `; COMMIT` # ; COMMIT"), "");
  for (const auto* cut_off : {"SELECT 'a", "SELECT /* a", "SELECT $a$", "SELECT '\\", "/*!", "", ";;", "$"}) {
    EXPECT_EQ(on_postgresql(cut_off), "");
    EXPECT_EQ(on_mysql(cut_off), "");
  }
}

} // namespace
} // namespace romancy::testing
