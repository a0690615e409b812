#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <soci/soci.h>

#include <romancy/isolation_level.hpp>

#include "messages/time_point.hpp"
#include "storage/database_url.hpp"
#include "storage/dialect.hpp"
#include "storage/statement_hook.hpp"

namespace romancy {

/// What is told of by database::notify().
inline constexpr auto events_topic = "events";       ///< of the outbox, to be relayed
inline constexpr auto instances_topic = "instances"; ///< to be claimed or cancelled

const dialect& dialect_of(const database_url& url);

/// One connection, opened for durable writing, with transactions and savepoints by plain SQL. Not thread-safe; may wander
/// between threads. Functions throw storage_failure.
///
/// While it is lent to user code, it refuses BEGIN, COMMIT, ROLLBACK and SAVEPOINT text, and what would change the
/// connection for those after it.
class database {
public:
  struct options {
    std::chrono::milliseconds busy_timeout{1000}; ///< how long a statement waits for a lock
    statement_hook on_statement{};
    std::function<void(const std::string& why)> on_waiting{}; ///< told once, when open() begins to wait
    bool own_clock = true; ///< now() is the database's, where it has a clock; for tests of which time is virtual
    bool durable = true;   ///< of SQLite: COMMIT waits for the disk; else only the end of the process is survived
    std::string name{};    ///< by which break_connections() finds it; empty: it does not
  };

  virtual ~database() = default;
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  /// Opens it, trying again while it is locked or away. @throws startup_error that names the database, the reason and the
  /// remedy.
  static std::unique_ptr<database> open(const database_url& url, const options& how, std::chrono::milliseconds patience);

  /// A plain session for SQL of the service itself, in autocommit mode. @throws storage_failure
  static std::unique_ptr<soci::session> connect(const database_url& url);

  soci::session& session() noexcept { return session_; }
  const romancy::dialect& dialect() const noexcept { return dialect_; }

  /// SQLite is always serializable.
  void begin(isolation_level level = isolation_level::read_committed) { do_begin(level); }
  virtual void commit() = 0;
  virtual void roll_back() noexcept = 0;
  virtual bool in_transaction() const = 0;
  /// False once the connection is known to be lost: then nothing on it is of use.
  virtual bool is_connected() const { return true; }
  /// A statement has failed, and the database takes nothing more until the savepoint around it is undone.
  virtual bool is_spoiled() const { return false; }
  /// A statement of the borrower was refused for others that wrote at the same time, as far as the connection remembers,
  /// whatever its code made of the error: a deadlock, a serialization failure.
  virtual bool met_conflict() const { return false; }

  /// Level 0 is the outermost savepoint of a unit of work; deeper ones are `ctx.transaction`. Where a unit of work has a
  /// transaction of its own, level 0 may be that.
  virtual void open_savepoint(int level) = 0;
  virtual void release_savepoint(int level) = 0;
  /// Undoes what came after open_savepoint(level), and ends it.
  virtual void roll_back_savepoint(int level) = 0;

  virtual void lend() = 0;
  virtual void take_back() = 0;
  /// True while a row refers to one that is not there, which COMMIT would refuse for all: of deferred foreign keys.
  virtual bool owes_foreign_keys() const { return false; }
  /// The refused statement that user code tried to run since lend(), or an empty string.
  virtual const std::string& refused() const = 0;

  /// The time by which all processes judge leases: the database's own where it has a clock, else `ours`.
  time_point now(time_point ours);
  /// Ends the connections of this name, wherever they are, with their transactions: their process is taken for dead.
  virtual void break_connections(const std::string&) {}
  /// Wakes who listens to `topic`, in any process, where the database can do that.
  virtual void notify(const std::string& /*topic*/) {}

protected:
  virtual void do_begin(isolation_level level) = 0;
  database(const romancy::dialect& spoken, const soci::backend_factory& backend, const std::string& connect_string,
           const options& how)
      : dialect_{spoken}, own_clock_{how.own_clock}, session_{backend, connect_string} {}

private:
  const romancy::dialect& dialect_;
  bool own_clock_;
  soci::session session_;
};

/// Before rows are locked for a claim: outside of a transaction the lock would be gone at once, and others would claim
/// the same. @throws storage_failure
void require_transaction(const database& db);

} // namespace romancy
