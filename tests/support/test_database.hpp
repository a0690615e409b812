#pragma once

#include <string>

#include <gtest/gtest.h>

#include "storage/database_url.hpp"
#include "testing/temporary_directory.hpp"

namespace romancy::testing {

/// An empty database for one test, which is removed with all that is in it.
class test_database {
public:
  /// On the server that scripts/servers has started; of SQLite a file. @throws std::runtime_error that says so when there
  /// is none.
  explicit test_database(database_url::backend kind);
  ~test_database();
  test_database(const test_database&) = delete;
  test_database& operator=(const test_database&) = delete;

  database_url::backend kind() const noexcept { return kind_; }
  /// With the password.
  const std::string& url() const noexcept { return url_; }
  std::string name() const { return database_url::parse(url_).path; }

private:
  database_url::backend kind_;
  temporary_directory directory_;
  std::string url_;
};

/// The URL of an administrative database on the server that scripts/servers has started. @throws std::runtime_error
std::string server_url(database_url::backend kind);
/// What follows the last '/' of `url`, up to the options, becomes `database`.
std::string with_database(std::string url, const std::string& database);

/// "sqlite3", "postgresql" or "mysql": also what comes after the '/' in names of tests.
std::string name_of(database_url::backend kind);
inline std::string name_of_parameter(const ::testing::TestParamInfo<database_url::backend>& info) {
  return name_of(info.param);
}

/// A fixture whose tests run once on each kind of database.
class on_every_database : public ::testing::TestWithParam<database_url::backend> {
protected:
  test_database fresh{GetParam()};
  database_url url = database_url::parse(fresh.url());

  bool is(database_url::backend kind) const { return GetParam() == kind; }
};

} // namespace romancy::testing

/// Runs the tests of a fixture as NAME/sqlite3, NAME/postgresql and NAME/mysql.
#define ROMANCY_ON_EVERY_DATABASE(Fixture)                                                                       \
  INSTANTIATE_TEST_SUITE_P(                                                                                      \
      , Fixture,                                                                                                 \
      ::testing::Values(::romancy::database_url::backend::sqlite3, ::romancy::database_url::backend::postgresql, \
                        ::romancy::database_url::backend::mysql),                                                \
      ::romancy::testing::name_of_parameter)
/// NAME/postgresql and NAME/mysql.
#define ROMANCY_ON_EVERY_SERVER(Fixture)                                                                        \
  INSTANTIATE_TEST_SUITE_P(                                                                                     \
      , Fixture,                                                                                                \
      ::testing::Values(::romancy::database_url::backend::postgresql, ::romancy::database_url::backend::mysql), \
      ::romancy::testing::name_of_parameter)
