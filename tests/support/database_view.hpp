#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <soci/soci.h>

#include "storage/database_url.hpp"

namespace romancy::testing {

/// Looks into a database from outside of the app, statement by statement. Connects again after an error: the server may
/// have been killed.
class database_view {
public:
  explicit database_view(const std::string& url) : url_{database_url::parse(url)} {}

  void run(const std::string& sql);
  long long number(const std::string& sql);
  /// The first `columns` of each row, with a space between.
  std::vector<std::string> rows(const std::string& sql, int columns = 1);
  /// Asks until `sql` gives `value`, also while the server is away; false when `patience` passed first.
  bool becomes(const std::string& sql, long long value, std::chrono::milliseconds patience = std::chrono::minutes{1});

  /// Ends connections of others to this database, each with a chance of one in `among`; returns how many.
  int end_connections(int among = 1);

private:
  template <class Question> auto ask(Question question);

  database_url url_;
  std::unique_ptr<soci::session> session_;
};

} // namespace romancy::testing
