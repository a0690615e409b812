#pragma once

#include "messages/retention_target.hpp"
#include "messages/time_point.hpp"
#include "storage/database.hpp"

namespace romancy {

/// Removing what is done with and old. Used inside a transaction. Functions throw storage_failure.
class old_rows {
public:
  explicit old_rows(database& db) : db_{db} {}

  /// Removes up to `limit` rows from before `cutoff`, with all that belongs to them; returns how many. Fewer than
  /// `limit`: there are no more, but for those that others are removing or changing.
  int remove(retention_target target, time_point cutoff, int limit);
  /// How many remove() would remove by and by.
  long long count(retention_target target, time_point cutoff);

private:
  database& db_;
};

} // namespace romancy
