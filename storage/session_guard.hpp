#pragma once

#include <memory>
#include <string>

#include <soci/soci.h>

#include "storage/sql_guard.hpp"
#include "storage/statement_hook.hpp"

namespace romancy {

/// What the connection to a server refuses to user code while it is lent.
class session_guard {
public:
  session_guard(statement_hook on_statement, bool mysql) : on_statement_{std::move(on_statement)}, mysql_{mysql} {}

  /// Before a statement is prepared. @throws soci::soci_error if it is refused
  void see(const std::string& sql) {
    if (on_statement_) on_statement_(sql.c_str());
    if (lent) refuse_if_lent(refused_statement(sql, mysql_));
  }
  /// @throws soci::soci_error
  void refuse_if_lent(const std::string& statement) {
    if (!lent || statement.empty()) return;
    if (refused.empty()) refused = statement;
    throw soci::soci_error{"not authorized: " + statement};
  }

  bool lent = false;
  bool met_conflict = false;
  std::string refused; ///< the first one

private:
  statement_hook on_statement_;
  bool mysql_;
};

/// SOCI's session backend `Base`, which asks a guard before begin(), commit() and rollback(): those send no statement
/// that SOCI's logger would see. soci::transaction calls them too.
template <class Base> class guarded_backend final : public Base {
public:
  using Base::Base;

  void begin() override {
    if (guard) guard->refuse_if_lent("BEGIN");
    Base::begin();
  }
  void commit() override {
    if (guard) guard->refuse_if_lent("COMMIT");
    Base::commit();
  }
  void rollback() override {
    if (guard) guard->refuse_if_lent("ROLLBACK");
    Base::rollback();
  }

  std::shared_ptr<session_guard> guard; ///< null: a plain session of the service itself
};

} // namespace romancy
