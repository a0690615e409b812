#include "storage/migrations.hpp"

#include <algorithm>
#include <string_view>

#include <romancy/error.hpp>

#include "storage/storage_failure.hpp"

namespace romancy {

namespace {

/// Without the lines that are comments: SOCI takes a colon in them for a parameter, and MySQL's backend then drops what
/// follows.
std::string without_comments(std::string_view script) {
  std::string code;
  while (!script.empty()) {
    const auto end = std::min(script.find('\n'), script.size() - 1) + 1;
    const auto line = script.substr(0, end);
    if (const auto begin = line.find_first_not_of(' ');
        begin == std::string_view::npos || !line.substr(begin).starts_with("--"))
      code += line;
    script.remove_prefix(end);
  }
  return code;
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

/// One process at a time. Until COMMIT, or unlock().
void lock(database& db) {
  if (db.dialect().lock_migrations.empty()) return;
  int mine = 0;
  db.session() << std::string{db.dialect().lock_migrations}, soci::into(mine);
  if (mine != 1)
    throw storage_failure{failure_kind::busy, "cannot apply a migration: another process has been at it for a minute"};
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

std::vector<std::string> migrations::statements(std::string_view script) {
  const auto code = without_comments(script);
  std::vector<std::string> found;
  for (std::string_view rest = code; !rest.empty();) {
    const auto end = rest.find(";\n");
    const auto statement = rest.substr(0, end);
    if (statement.find_first_not_of(" \n") != std::string_view::npos) found.emplace_back(statement);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
  }
  return found;
}

const char* const migrations::schema_table =
    "CREATE TABLE IF NOT EXISTS romancy_schema (version INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL, applied_at "
    "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);\n";

std::string migrations::record(const step& applied) {
  return "INSERT INTO romancy_schema (version, name) VALUES (" + std::to_string(applied.version) + ", '" + applied.name +
         "');\n";
}

int migrations::newest() { return all(sqlite3_dialect).back().version; }

int migrations::current(database& db) try {
  const bool inside = db.in_transaction();
  const int version = read_version(db);
  if (!inside && db.in_transaction()) db.roll_back(); // reading begins one in MySQL, which would hold up other migrations
  return version;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read the schema version");
}

std::vector<migrations::step> migrations::pending(database& db) {
  const int version = current(db);
  refuse_newer(version);
  std::vector<step> steps;
  for (const auto& step : all(db.dialect()))
    if (step.version > version) steps.push_back(step);
  return steps;
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
  std::vector<std::string> applied;
  if (pending(db).empty()) return applied; // without a lock: usually there is nothing to do
  db.begin();
  try {
    lock(db);
    auto& sql = db.session();
    for (const auto& statement : statements(schema_table)) sql << statement;
    for (const auto& step : pending(db)) { // another process may have been faster
      for (const auto& statement : statements(step.sql + record(step))) sql << statement;
      applied.emplace_back(step.name);
    }
    if (db.in_transaction()) db.commit(); // MySQL has committed CREATE TABLE by itself
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
