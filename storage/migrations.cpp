#include "storage/migrations.hpp"

#include <string_view>

#include <romancy/error.hpp>

#include "storage/storage_failure.hpp"

namespace romancy {

namespace {

/// SOCI runs the first statement of a text and drops the rest silently, so each is run by itself. Statements end with
/// ';' at the end of a line.
void run_script(soci::session& sql, std::string_view script) {
  while (!script.empty()) {
    const auto end = script.find(";\n");
    const auto statement = script.substr(0, end);
    if (statement.find_first_not_of(" \n") != std::string_view::npos) sql << std::string{statement};
    script.remove_prefix(end == std::string_view::npos ? script.size() : end + 2);
  }
}

int read_version(database& db) {
  auto& sql = db.session();
  const std::string table = "romancy_schema";
  int tables = 0;
  sql << std::string{db.dialect().count_tables}, soci::use(table), soci::into(tables);
  if (tables == 0) return 0;
  int version = 0;
  soci::indicator found = soci::i_null;
  sql << "SELECT max(version) FROM romancy_schema", soci::into(version, found);
  return found == soci::i_ok ? version : 0;
}

void unlock(database& db) noexcept {
  if (db.dialect().unlock_migrations.empty()) return;
  try {
    db.session() << std::string{db.dialect().unlock_migrations};
  } catch (const soci::soci_error&) { // the connection has ended, and the lock with it
  }
}

void refuse_newer(int version) {
  if (version > migrations::newest())
    throw startup_error{"the database has schema version " + std::to_string(version) + ", this program knows up to " +
                        std::to_string(migrations::newest()) + ": run a newer version of the program"};
}

} // namespace

int migrations::newest() { return all(sqlite3_dialect).back().version; }

int migrations::current(database& db) try { return read_version(db); } catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read the schema version");
}

void migrations::check(database& db) {
  const int version = current(db);
  refuse_newer(version);
  if (version == 0) throw startup_error{"it has no tables of Romancy yet: make them with romancy migrate"};
  if (version < newest())
    throw startup_error{"its schema has version " + std::to_string(version) + ", this program reads version " +
                        std::to_string(newest()) + ": bring it up to date with romancy migrate"};
}

std::vector<std::string> migrations::apply(database& db) {
  const int seen = current(db); // without a lock: usually there is nothing to do
  refuse_newer(seen);
  std::vector<std::string> applied;
  if (seen == newest()) return applied;
  db.begin();
  try {
    auto& sql = db.session();
    if (!db.dialect().lock_migrations.empty()) sql << std::string{db.dialect().lock_migrations};
    sql << "CREATE TABLE IF NOT EXISTS romancy_schema (version INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL, "
           "applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";
    const int version = read_version(db); // again: another process may have been faster
    refuse_newer(version);
    for (const auto& step : all(db.dialect())) {
      if (step.version <= version) continue;
      run_script(sql, step.sql);
      const std::string name = step.name;
      sql << "INSERT INTO romancy_schema (version, name) VALUES (:version, :name)", soci::use(step.version),
          soci::use(name);
      applied.push_back(name);
    }
    db.commit();
    unlock(db);
  } catch (const soci::soci_error& e) {
    db.roll_back();
    unlock(db);
    throw storage_failure::from(e, "apply a migration");
  } catch (...) {
    db.roll_back();
    unlock(db);
    throw;
  }
  return applied;
}

} // namespace romancy
