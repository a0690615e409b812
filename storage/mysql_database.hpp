#pragma once

#include "storage/server_database.hpp"

namespace romancy {

/// A connection to MariaDB 10.11 or newer, with InnoDB tables.
class mysql_database final : public server_database {
public:
  mysql_database(const database_url& url, const options& how);

  static std::unique_ptr<soci::session> connect(const database_url& url);

  bool in_transaction() const override;
  bool is_connected() const override;
  bool met_conflict() const override;
  void break_connections(const std::string& name) override;
  void lend() override;
  void take_back() override;

  void do_begin(isolation_level level) override;

private:
  bool marked_ = false; ///< the lent transaction has a savepoint: it is gone when the transaction is another one
  bool replaced_ = false;
};

} // namespace romancy
