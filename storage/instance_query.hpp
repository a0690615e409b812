#pragma once

#include <optional>
#include <string>
#include <vector>

#include <romancy/instance_details.hpp>
#include <romancy/instance_filter.hpp>

#include "storage/database.hpp"
#include "storage/sql_text.hpp"

namespace romancy {

/// Looking at `workflow_instances`: claims nothing, changes nothing. Functions throw storage_failure.
class instance_query {
public:
  explicit instance_query(database& db) : db_{db} {}

  struct row {
    instance_summary instance;
    std::string page; ///< the token of what follows it
  };
  struct rows {
    std::vector<row> items;
    bool more = false; ///< there are others after the last of them
  };
  /// One page. @throws query_error if `wanted` makes no sense
  rows list(const instance_filter& wanted);
  /// In a transaction of its own. @pre there is none
  std::optional<instance_details> find(const std::string& instance_id);

  /// What list() asks the database. @throws query_error
  sql_text sql(const instance_filter& wanted) const;

private:
  std::vector<history_entry> history(const instance_summary& of);
  std::vector<std::string> texts(const char* sql, const std::string& instance_id);

  database& db_;
};

} // namespace romancy
