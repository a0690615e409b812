#include "storage/server_database.hpp"

#include "storage/storage_failure.hpp"

namespace romancy {

namespace {

/// SOCI tells its logger of each statement before it prepares it.
class guarding_logger final : public soci::logger_impl {
public:
  explicit guarding_logger(std::shared_ptr<session_guard> guard) : guard_{std::move(guard)} {}
  void start_query(const std::string& sql) override { guard_->see(sql); }

private:
  soci::logger_impl* do_clone() const override { return new guarding_logger{guard_}; }
  std::shared_ptr<session_guard> guard_;
};

} // namespace

server_database::server_database(const romancy::dialect& spoken, const soci::backend_factory& backend,
                                 const std::string& connect_string, const options& how)
    : database{spoken, backend, connect_string, how}, guard_{std::make_shared<session_guard>(how.on_statement,
                                                                                             &spoken == &mysql_dialect)} {
  session().set_logger(soci::logger{new guarding_logger{guard_}});
}

void add_parameter(std::string& connect_string, const std::string& key, const std::string& value) {
  connect_string += (connect_string.empty() ? "" : " ") + key + "='";
  for (const char c : value) {
    if (c == '\'' || c == '\\') connect_string += '\\';
    connect_string += c;
  }
  connect_string += '\'';
}

/// Runs our own statement, also while the connection is lent.
void server_database::run(const std::string& sql, const char* doing) {
  const bool lent = std::exchange(guard_->lent, false);
  try {
    session() << sql;
    guard_->lent = lent;
  } catch (const soci::soci_error& e) {
    guard_->lent = lent;
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
  guard_->refused.clear();
  guard_->met_conflict = false;
  guard_->lent = true;
}
void server_database::take_back() { guard_->lent = false; }

const std::string& server_database::refused() const { return guard_->refused; }

} // namespace romancy
