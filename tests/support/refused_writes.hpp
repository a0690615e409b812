#pragma once

#include <string>

#include "storage/database.hpp"

namespace romancy::testing {

/// From now on the database refuses, as "not today", to INSERT into or UPDATE `table` where the new row fulfills `when`.
inline void refuse_writes(database& db, const std::string& operation, const std::string& table, const std::string& when) {
  auto& sql = db.session();
  const auto head = "CREATE TRIGGER stuck BEFORE " + operation + " ON " + table;
  if (db.dialect().name == sqlite3_dialect.name) {
    sql << head + " WHEN " + when + " BEGIN SELECT RAISE(ABORT, 'not today'); END";
  } else if (db.dialect().name == postgresql_dialect.name) {
    sql << "CREATE OR REPLACE FUNCTION stuck() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$ "
           "LANGUAGE plpgsql";
    sql << head + " FOR EACH ROW WHEN (" + when + ") EXECUTE FUNCTION stuck()";
  } else {
    sql << head + " FOR EACH ROW BEGIN IF " + when +
               " THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not today'; END IF; END";
  }
}

inline void allow_writes(database& db, const std::string& table) {
  db.session() << "DROP TRIGGER stuck" + (db.dialect().name == postgresql_dialect.name ? " ON " + table : "");
}

} // namespace romancy::testing
