#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <soci/soci.h>

#include "storage/database_url.hpp"
#include "storage/dialect.hpp"

namespace romancy {

/// Called before each statement that a connection runs, with its text: user code's, ours, BEGIN and COMMIT. For tests
/// that count, fail or die at the k-th one.
using statement_hook = std::function<void(const char* sql)>;

/// One connection, opened for durable writing (SQLite: WAL, synchronous=FULL, foreign keys enforced), with transactions
/// and savepoints by plain SQL. Not thread-safe; may wander between threads. Functions throw storage_failure.
///
/// While it is lent to user code, the connection itself refuses BEGIN, COMMIT, ROLLBACK and SAVEPOINT text, what would
/// change the connection for those after it (PRAGMA, ATTACH, temporary tables), and whatever else would commit.
class database {
public:
  struct options {
    std::chrono::milliseconds busy_timeout{1000}; ///< how long a statement waits for a lock
    statement_hook on_statement{};
  };

  database(const database_url& url, const options& how);
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  /// Opens it, trying again while it is locked. @throws startup_error that names the file, the reason and the remedy.
  static std::unique_ptr<database> open(const database_url& url, const options& how, std::chrono::milliseconds patience);

  /// A plain session for SQL of the service itself, in autocommit mode. @throws storage_failure
  static std::unique_ptr<soci::session> connect(const database_url& url);

  soci::session& session() noexcept { return session_; }
  const romancy::dialect& dialect() const noexcept { return sqlite3_dialect; }

  void begin();
  void commit();
  void roll_back() noexcept;
  bool in_transaction() const;

  /// Level 0 is the outermost savepoint of a unit of work; deeper ones are `ctx.transaction`.
  void open_savepoint(int level);
  void release_savepoint(int level);
  /// Undoes what came after open_savepoint(level), and ends it.
  void roll_back_savepoint(int level);

  void lend();
  void take_back();
  /// True while a row refers to one that is not there, which COMMIT would refuse: of deferred foreign keys.
  bool owes_foreign_keys() const;
  /// The refused statement that user code tried to run since lend(), or an empty string.
  const std::string& refused() const;

  /// Rows that the last INSERT, UPDATE or DELETE touched.
  int changes() const;

  class impl;

private:
  struct savepoint;
  savepoint& at(int level);

  soci::session session_;
  std::unique_ptr<impl> impl_; ///< after session_: its statements end before their session
};

} // namespace romancy
