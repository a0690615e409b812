#pragma once

#include <string>

#include "storage/database_url.hpp"
#include "tests/support/child_process.hpp"
#include "testing/temporary_directory.hpp"

namespace romancy::testing {

/// A PostgreSQL or MariaDB for one test, which may kill it; gone at the end, also when the test is killed.
class private_server {
public:
  explicit private_server(database_url::backend kind);
  ~private_server();

  /// Of an empty database, with the password.
  const std::string& url() const noexcept { return url_; }
  void crash() { control("crash"); }
  void stop() { control("stop"); }
  /// Takes connections when it returns, at the same address.
  void start() { control("start"); }

private:
  void control(const std::string& what);

  temporary_directory directory_;
  child_process servers_;
  std::string url_, control_;
};

} // namespace romancy::testing
