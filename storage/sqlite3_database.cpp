#include "storage/sqlite3_database.hpp"

#include <set>
#include <thread>
#include <vector>

#include <soci/sqlite3/soci-sqlite3.h>

#include "storage/storage_failure.hpp"

namespace romancy {

namespace {

sqlite_api::sqlite3* native(soci::session& session) {
  return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

/// SOCI reads `key=value` pairs; a value with spaces is quoted.
std::string connect_string(const database_url& url) { return "db=\"" + url.path + '"'; }

/// While someone else holds the lock: look again soon. SQLite's own handler sleeps up to 100 ms between two looks, and a
/// busy writer lets go for shorter than that. https://www.sqlite.org/c3ref/busy_handler.html
int look_again(void* patience, int times) noexcept {
  constexpr auto pause = std::chrono::milliseconds{1};
  if (times * pause >= *static_cast<const std::chrono::milliseconds*>(patience)) return 0;
  std::this_thread::sleep_for(pause);
  return 1;
}

} // namespace

/// Statements that are run for every unit of work, prepared once.
struct sqlite3_database::savepoint {
  savepoint(soci::session& session, int level)
      : open{(session.prepare << "SAVEPOINT romancy_" + std::to_string(level))}, release{(session.prepare
                                                                                          << "RELEASE romancy_" +
                                                                                                 std::to_string(level))},
        roll_back{(session.prepare << "ROLLBACK TO romancy_" + std::to_string(level))} {}
  soci::statement open;
  soci::statement release;
  soci::statement roll_back;
};

class sqlite3_database::impl {
public:
  impl(soci::session& session, std::string file, const options& how)
      : path{std::move(file)}, on_statement{how.on_statement}, busy_timeout{how.busy_timeout},
        begin{(session.prepare << std::string{sqlite3_dialect.begin})}, commit{(session.prepare << "COMMIT")},
        connection{native(session)} {
    sqlite_api::sqlite3_busy_handler(connection, &look_again, &busy_timeout);
    sqlite_api::sqlite3_set_authorizer(connection, &authorize, this);
    sqlite_api::sqlite3_commit_hook(connection, &refuse_commit, this);
    if (on_statement) sqlite_api::sqlite3_trace_v2(connection, SQLITE_TRACE_STMT, &trace, this);
  }
  ~impl() {
    sqlite_api::sqlite3_busy_handler(connection, nullptr, nullptr);
    sqlite_api::sqlite3_set_authorizer(connection, nullptr, nullptr);
    sqlite_api::sqlite3_commit_hook(connection, nullptr, nullptr);
    sqlite_api::sqlite3_trace_v2(connection, 0, nullptr, nullptr);
  }

  /// What user code may not do with a connection that others use after it: end the transaction, or change the connection.
  /// https://www.sqlite.org/c3ref/set_authorizer.html
  static int authorize(void* self, int action, const char* what, const char*, const char*, const char*) {
    auto& me = *static_cast<impl*>(self);
    if (!me.lent) return SQLITE_OK;
    const std::string name = what ? what : "";
    switch (action) {
      case SQLITE_TRANSACTION: return me.refuse(name);
      case SQLITE_SAVEPOINT: return me.refuse(name + " of a savepoint");
      case SQLITE_ATTACH: return me.refuse("ATTACH");
      case SQLITE_DETACH: return me.refuse("DETACH");
      case SQLITE_PRAGMA: return only_looks(name) ? SQLITE_OK : me.refuse("PRAGMA " + name);
      case SQLITE_CREATE_TEMP_INDEX:
      case SQLITE_CREATE_TEMP_TABLE:
      case SQLITE_CREATE_TEMP_TRIGGER:
      case SQLITE_CREATE_TEMP_VIEW: return me.refuse("CREATE TEMP");
      default: return SQLITE_OK;
    }
  }
  int refuse(std::string text) {
    if (refused.empty()) refused = std::move(text);
    return SQLITE_DENY;
  }
  static bool only_looks(const std::string& pragma) {
    static const std::set<std::string> harmless{"table_info",        "table_xinfo",
                                                "table_list",        "index_list",
                                                "index_info",        "index_xinfo",
                                                "database_list",     "quick_check",
                                                "integrity_check",   "foreign_key_list",
                                                "foreign_key_check", "function_list",
                                                "data_version",      /* of FTS5 */ "collation_list"};
    return harmless.contains(pragma);
  }
  /// `INSERT OR ROLLBACK` and RAISE(ROLLBACK) end the transaction without being asked; what user code writes after that
  /// would commit by itself. https://www.sqlite.org/c3ref/commit_hook.html
  static int refuse_commit(void* self) { return static_cast<impl*>(self)->lent ? 1 : 0; }
  static int trace(unsigned, void* self, void*, void* sql) {
    const auto& me = *static_cast<impl*>(self);
    if (!me.announced) me.on_statement(static_cast<const char*>(sql));
    return 0;
  }

  std::string path;
  statement_hook on_statement;
  std::chrono::milliseconds busy_timeout;
  soci::statement begin;
  soci::statement commit;
  std::vector<std::unique_ptr<savepoint>> savepoints;
  sqlite_api::sqlite3* connection;
  bool lent = false;
  bool announced = false; ///< the hook was told of the statement that runs
  std::string refused;
};

namespace {

/// Runs our own transaction statement, also while the connection is lent.
template <class Impl> void run(Impl& impl, soci::statement& statement, const std::string& sql, const char* doing) {
  const bool lent = std::exchange(impl.lent, false);
  try {
    if (impl.on_statement) impl.on_statement(sql.c_str()); // not from inside SQLite: it may throw
    impl.announced = true;
    statement.execute(true);
    impl.announced = false;
    impl.lent = lent;
  } catch (const soci::soci_error& e) {
    impl.announced = false;
    impl.lent = lent;
    throw storage_failure::from(e, std::string{doing} + " in '" + impl.path + "'");
  }
}

} // namespace

sqlite3_database::sqlite3_database(const database_url& url, const options& how) try
    : database{sqlite3_dialect, soci::sqlite3, connect_string(url), how} {
  auto& sql = session();
  sql << "PRAGMA busy_timeout = " + std::to_string(how.busy_timeout.count());
  std::string mode;
  sql << "PRAGMA journal_mode = WAL", soci::into(mode);
  if (mode != "wal")
    throw storage_failure{failure_kind::broken,
                          "cannot open the database: its journal mode stays '" + mode + "' instead of 'wal'"};
  sql << std::string{"PRAGMA synchronous = "} + (how.durable ? "FULL" : "OFF");
  sql << "PRAGMA cache_size = -16000"; // KiB
  sql << "PRAGMA foreign_keys = ON";
  impl_ = std::make_unique<impl>(sql, url.path, how);
} catch (const soci::soci_error& e) {
  throw storage_failure::from_connecting(e);
}

sqlite3_database::~sqlite3_database() = default;

std::unique_ptr<soci::session> sqlite3_database::connect(const database_url& url) try {
  auto session = std::make_unique<soci::session>(soci::sqlite3, connect_string(url));
  static const std::chrono::milliseconds patience{5000};
  sqlite_api::sqlite3_busy_handler(native(*session), &look_again, const_cast<std::chrono::milliseconds*>(&patience));
  *session << "PRAGMA foreign_keys = ON";
  return session;
} catch (const soci::soci_error& e) {
  throw storage_failure::from_connecting(e);
}

void sqlite3_database::do_begin(isolation_level) {
  run(*impl_, impl_->begin, std::string{sqlite3_dialect.begin}, "begin a transaction");
}
void sqlite3_database::commit() { run(*impl_, impl_->commit, "COMMIT", "commit"); }
void sqlite3_database::roll_back() noexcept {
  try {
    if (in_transaction()) session() << "ROLLBACK";
  } catch (const std::exception&) { // the connection is broken: closing it rolls back
  }
}

bool sqlite3_database::in_transaction() const { return sqlite_api::sqlite3_get_autocommit(impl_->connection) == 0; }

sqlite3_database::savepoint& sqlite3_database::at(int level) {
  auto& all = impl_->savepoints;
  while (all.size() <= static_cast<std::size_t>(level)) {
    const bool lent = std::exchange(impl_->lent, false);
    all.push_back(std::make_unique<savepoint>(session(), static_cast<int>(all.size())));
    impl_->lent = lent;
  }
  return *all[static_cast<std::size_t>(level)];
}

void sqlite3_database::open_savepoint(int level) {
  if (!in_transaction()) // a SAVEPOINT would begin one, and its RELEASE commit it
    throw storage_failure{failure_kind::other, "cannot open a savepoint: the transaction has ended"};
  run(*impl_, at(level).open, "SAVEPOINT romancy_" + std::to_string(level), "open a savepoint");
}
void sqlite3_database::release_savepoint(int level) {
  run(*impl_, at(level).release, "RELEASE romancy_" + std::to_string(level), "release a savepoint");
}
void sqlite3_database::roll_back_savepoint(int level) {
  run(*impl_, at(level).roll_back, "ROLLBACK TO romancy_" + std::to_string(level), "roll back to a savepoint");
  run(*impl_, at(level).release, "RELEASE romancy_" + std::to_string(level), "release a savepoint");
}

void sqlite3_database::lend() {
  impl_->refused.clear();
  impl_->lent = true;
}
void sqlite3_database::take_back() {
  impl_->lent = false;
  // A statement that user code has not read to its end keeps its snapshot beyond COMMIT, and no later BEGIN succeeds once
  // another process has written.
  for (auto* open = sqlite_api::sqlite3_next_stmt(impl_->connection, nullptr); open;
       open = sqlite_api::sqlite3_next_stmt(impl_->connection, open))
    if (sqlite_api::sqlite3_stmt_busy(open) != 0) sqlite_api::sqlite3_reset(open);
}

bool sqlite3_database::owes_foreign_keys() const { // https://www.sqlite.org/c3ref/c_dbstatus_options.html
  int current = 0, unused = 0;
  sqlite_api::sqlite3_db_status(impl_->connection, SQLITE_DBSTATUS_DEFERRED_FKS, &current, &unused, 0);
  return current != 0;
}

const std::string& sqlite3_database::refused() const { return impl_->refused; }

} // namespace romancy
