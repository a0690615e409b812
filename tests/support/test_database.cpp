#include "tests/support/test_database.hpp"

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include <unistd.h>

#include "storage/database.hpp"

namespace romancy::testing {

namespace {

using backend = database_url::backend;

std::string fresh_name() {
  static std::atomic<int> count{0};
  return "romancy_test_" + std::to_string(::getpid()) + '_' + std::to_string(++count);
}

void make(backend kind, const std::string& name) {
  const auto sql = database::connect(database_url::parse(server_url(kind)));
  *sql << "CREATE DATABASE " + name + (kind == backend::postgresql ? " TEMPLATE template0" : "");
}

void remove(backend kind, const std::string& name) {
  const auto sql = database::connect(database_url::parse(server_url(kind)));
  if (kind == backend::postgresql) {
    *sql << "DROP DATABASE " + name + " WITH (FORCE)";
    return;
  }
  // DROP waits for transactions that are still open.
  std::vector<long long> connections(100);
  *sql << "SELECT id FROM information_schema.processlist WHERE db = :name", soci::use(name), soci::into(connections);
  for (const auto connection : connections) try {
      *sql << "KILL CONNECTION " + std::to_string(connection);
    } catch (const soci::soci_error&) { // it has ended by itself
    }
  *sql << "DROP DATABASE " + name;
}

} // namespace

std::string name_of(backend kind) {
  return kind == backend::sqlite3 ? "sqlite3" : kind == backend::postgresql ? "postgresql" : "mysql";
}

std::string server_url(backend kind) {
  const auto* variable = kind == backend::postgresql ? "ROMANCY_TEST_POSTGRESQL" : "ROMANCY_TEST_MYSQL";
  if (const auto* url = std::getenv(variable)) return url;
  throw std::runtime_error{std::string{variable} +
                           " is not set: run scripts/test, or these tests by `scripts/servers ctest …`"};
}

std::string with_database(std::string url, const std::string& database) {
  const auto options = url.find('?');
  const auto slash = url.rfind('/', options);
  return url.replace(slash + 1, (options == std::string::npos ? url.size() : options) - slash - 1, database);
}

test_database::test_database(backend kind) : kind_{kind} {
  if (kind == backend::sqlite3) {
    url_ = "sqlite3://" + directory_.file("test.db");
    return;
  }
  const auto name = fresh_name();
  make(kind, name);
  url_ = with_database(server_url(kind), name);
}

test_database::~test_database() {
  if (kind_ == backend::sqlite3) return;
  try {
    remove(kind_, name());
  } catch (const std::exception&) { // it goes with its server
  }
}

} // namespace romancy::testing
