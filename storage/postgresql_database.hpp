#pragma once

#include "storage/server_database.hpp"

namespace romancy {

/// A connection to PostgreSQL 15 or newer.
class postgresql_database final : public server_database {
public:
  postgresql_database(const database_url& url, const options& how);

  static std::unique_ptr<soci::session> connect(const database_url& url);

  bool in_transaction() const override;
  bool is_connected() const override;
  bool met_conflict() const override;
  bool is_spoiled() const override;
  void break_connections(const std::string& name) override;
  void notify(const std::string& topic) override;

private:
  void do_begin(isolation_level level) override;
};

} // namespace romancy
