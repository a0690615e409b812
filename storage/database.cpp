#include "storage/database.hpp"

#include <filesystem>
#include <thread>
#include <utility>

#include "storage/mysql_database.hpp"
#include "storage/postgresql_database.hpp"
#include "storage/sqlite3_database.hpp"
#include "storage/storage_failure.hpp"
#include "storage/timestamp.hpp"

namespace romancy {

namespace {

using backend = database_url::backend;

std::unique_ptr<database> make(const database_url& url, const database::options& how) {
  switch (url.kind) {
    case backend::sqlite3: return std::make_unique<sqlite3_database>(url, how);
    case backend::postgresql: return std::make_unique<postgresql_database>(url, how);
    case backend::mysql: return std::make_unique<mysql_database>(url, how);
  }
  return nullptr;
}

void look_at_the_path(const database_url& url) {
  namespace fs = std::filesystem;
  const auto named = "database '" + url.shown + "': ";
  const auto folder = fs::path{url.path}.parent_path();
  std::error_code ignored;
  if (!folder.empty() && !fs::is_directory(folder, ignored))
    throw startup_error{named + "the directory '" + folder.string() + "' does not exist: create it"};
  if (fs::is_directory(url.path, ignored)) throw startup_error{named + "this is a directory: name a file in it"};
}

/// What is to be done about it.
std::string remedy(const database_url& url, failure_kind kind, std::chrono::milliseconds patience) {
  const auto waited = " for " + std::to_string(patience.count()) + " ms";
  if (!url.is_file())
    return kind == failure_kind::broken
               ? ": check the name of the database, the user and the password"
               : ": it was away" + waited + "; start it, check host and port, or raise database_timeout";
  if (kind == failure_kind::broken)
    return ": it is no SQLite database that can be written: check the path and its permissions, or restore it from a "
           "backup";
  if (kind == failure_kind::busy) return ": locked by another process" + waited + "; stop it, or raise database_timeout";
  return ": check that the file and its directory can be read and written";
}

} // namespace

const dialect& dialect_of(const database_url& url) {
  switch (url.kind) {
    case backend::sqlite3: return sqlite3_dialect;
    case backend::postgresql: return postgresql_dialect;
    case backend::mysql: return mysql_dialect;
  }
  return sqlite3_dialect;
}

std::unique_ptr<database> database::open(const database_url& url, const options& how,
                                         std::chrono::milliseconds patience) {
  if (url.is_file()) look_at_the_path(url);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (bool said = false;;) try {
      return make(url, how);
    } catch (const storage_failure& e) {
      const bool may_come = url.is_file() ? e.kind() == failure_kind::busy : e.kind() != failure_kind::broken;
      if (!may_come || std::chrono::steady_clock::now() >= deadline)
        throw startup_error{"database '" + url.shown + "': " + e.what() + remedy(url, e.kind(), patience)};
      if (how.on_waiting && !std::exchange(said, true)) how.on_waiting(e.what());
      std::this_thread::sleep_for(std::chrono::milliseconds{url.is_file() ? 20 : 200});
    }
}

std::unique_ptr<soci::session> database::connect(const database_url& url) {
  switch (url.kind) {
    case backend::sqlite3: return sqlite3_database::connect(url);
    case backend::postgresql: return postgresql_database::connect(url);
    case backend::mysql: return mysql_database::connect(url);
  }
  return nullptr;
}

void require_transaction(const database& db) {
  if (!db.in_transaction())
    throw storage_failure{failure_kind::other, "cannot claim outside of a transaction: begin one, and commit it"};
}

time_point database::now(time_point ours) {
  if (dialect_.now.empty() || !own_clock_) return ours;
  try {
    std::string text;
    session_ << std::string{dialect_.now}, soci::into(text);
    return to_time_point(text);
  } catch (const soci::soci_error& e) {
    throw storage_failure::from(e, "read the time of the database");
  }
}

} // namespace romancy
