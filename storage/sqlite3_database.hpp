#pragma once

#include "storage/database.hpp"

namespace romancy {

/// A file: WAL, synchronous=FULL, foreign keys enforced. The connection itself refuses what user code must not run:
/// statements of transactions, PRAGMA, ATTACH, temporary tables, and whatever else would commit.
class sqlite3_database final : public database {
public:
  sqlite3_database(const database_url& url, const options& how);
  ~sqlite3_database() override;

  static std::unique_ptr<soci::session> connect(const database_url& url);

  void commit() override;
  void roll_back() noexcept override;
  bool in_transaction() const override;
  void open_savepoint(int level) override;
  void release_savepoint(int level) override;
  void roll_back_savepoint(int level) override;
  void lend() override;
  void take_back() override;
  bool owes_foreign_keys() const override;
  const std::string& refused() const override;

  class impl;

  void do_begin(isolation_level level) override;

private:
  struct savepoint;
  savepoint& at(int level);

  std::unique_ptr<impl> impl_; ///< its statements end before their session
};

} // namespace romancy
