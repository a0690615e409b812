#include "storage/server_database.hpp"

#include "storage/sql_guard.hpp"
#include "storage/storage_failure.hpp"

namespace romancy {

struct server_database::state {
  statement_hook on_statement;
  bool ddl_commits = false;
  bool lent = false;
  std::string refused;
};

/// SOCI tells its logger of each statement before it prepares it.
class server_database::guard final : public soci::logger_impl {
public:
  explicit guard(std::shared_ptr<state> of) : state_{std::move(of)} {}
  void start_query(const std::string& sql) override {
    if (state_->on_statement) state_->on_statement(sql.c_str());
    if (!state_->lent) return;
    auto statement = refused_statement(sql, state_->ddl_commits);
    if (statement.empty()) return;
    if (state_->refused.empty()) state_->refused = statement;
    throw soci::soci_error{"not authorized: " + statement};
  }

private:
  soci::logger_impl* do_clone() const override { return new guard{state_}; }
  std::shared_ptr<state> state_;
};

server_database::server_database(const romancy::dialect& spoken, const std::string& connect_string, const options& how)
    : database{spoken, connect_string, how}, state_{std::make_shared<state>()} {
  state_->on_statement = how.on_statement;
  state_->ddl_commits = &spoken == &mysql_dialect;
  session().set_logger(soci::logger{new guard{state_}});
}

/// Runs our own statement, also while the connection is lent.
void server_database::run(const std::string& sql, const char* doing) {
  const bool lent = std::exchange(state_->lent, false);
  try {
    session() << sql;
    state_->lent = lent;
  } catch (const soci::soci_error& e) {
    state_->lent = lent;
    throw storage_failure::from(e, doing);
  }
}

void server_database::do_begin(isolation_level) { run(std::string{dialect().begin}, "begin a transaction"); }

void server_database::commit() {
  if (is_spoiled()) // COMMIT would roll back, and say that it went well
    throw storage_failure{failure_kind::other, "cannot commit: a statement of the transaction has failed"};
  if (!in_transaction()) // it would commit nothing, and say that it went well
    throw storage_failure{failure_kind::conflict, "cannot commit: the transaction has ended before"};
  run("COMMIT", "commit");
}

void server_database::roll_back() noexcept {
  try {
    run("ROLLBACK", "roll back");
  } catch (const std::exception&) { // the connection is broken: the server rolls back
  }
}

void server_database::open_savepoint(int level) {
  if (!in_transaction()) // of MySQL it was a deadlock
    throw storage_failure{failure_kind::conflict, "cannot open a savepoint: the transaction has ended"};
  if (level > 0) run("SAVEPOINT romancy_" + std::to_string(level), "open a savepoint");
}
void server_database::release_savepoint(int level) {
  if (level > 0) run("RELEASE SAVEPOINT romancy_" + std::to_string(level), "release a savepoint");
}
void server_database::roll_back_savepoint(int level) {
  if (level == 0) return roll_back();
  if (!in_transaction())
    throw storage_failure{failure_kind::conflict, "cannot roll back to a savepoint: the transaction has ended"};
  run("ROLLBACK TO SAVEPOINT romancy_" + std::to_string(level), "roll back to a savepoint");
  release_savepoint(level);
}

void server_database::lend() {
  state_->refused.clear();
  state_->lent = true;
}
void server_database::take_back() { state_->lent = false; }

const std::string& server_database::refused() const { return state_->refused; }

} // namespace romancy
