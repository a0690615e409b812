#pragma once

#include <string>

#include "messages/time_point.hpp"
#include "storage/database.hpp"

namespace romancy {

/// `inbox_events`: what has come in, by source and id. Used inside a transaction. Functions throw storage_failure.
class inbox_table {
public:
  explicit inbox_table(database& db) : db_{db} {}

  /// False if it is there already. While another transaction that has added it is open, this waits for its end.
  bool insert(const std::string& source, const std::string& id, const std::string& type, time_point now);

private:
  database& db_;
};

} // namespace romancy
