#pragma once

#include <soci/soci.h>

namespace romancy {

/// Runs an INSERT, UPDATE or DELETE once; returns how many rows it touched.
inline long long rows_changed(const soci::details::prepare_temp_type& query) {
  soci::statement statement = query;
  statement.execute(true);
  return statement.get_affected_rows();
}

} // namespace romancy
