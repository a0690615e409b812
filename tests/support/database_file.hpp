#pragma once

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "storage/database.hpp"

namespace romancy::testing {

/// Looks into a database from outside of the app.
class database_file {
public:
  explicit database_file(const std::string& path)
      : db_{database::open(database_url::parse(path), {}, std::chrono::seconds{30})} {}

  long long number(const std::string& sql) {
    long long value = 0;
    db_->session() << sql, soci::into(value);
    return value;
  }
  /// Asks until `sql` gives `value`; false when `patience` passed first.
  bool becomes(const std::string& sql, long long value, std::chrono::milliseconds patience = std::chrono::minutes{1}) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (number(sql) != value) {
      if (std::chrono::steady_clock::now() >= end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
  }
  std::vector<std::string> texts(const std::string& sql) {
    std::vector<std::string> all;
    std::string text;
    soci::statement select = (db_->session().prepare << sql, soci::into(text));
    for (bool more = select.execute(true); more; more = select.fetch()) all.push_back(text);
    return all;
  }
  database& db() { return *db_; }

private:
  std::unique_ptr<database> db_;
};

} // namespace romancy::testing
