#pragma once

#include <string_view>

namespace romancy {

/// Where databases differ in what they are told. The tables put their SQL together from it; all that is not here is the
/// same everywhere. Migrations are in migrations/<name>/.
struct dialect {
  std::string_view name;
  std::string_view begin;              ///< a transaction that will write
  std::string_view if_absent_instance; ///< ends an INSERT that does nothing when the instance_id is there
  std::string_view due_index;          ///< after the table's name: how the claim of due events is to find them
  std::string_view count_tables;       ///< how many tables are called :name
};

/// https://www.sqlite.org/lang.html
inline constexpr dialect sqlite3_dialect{
    .name = "sqlite3",
    .begin = "BEGIN IMMEDIATE", // takes the write lock at once, so that nothing later can fail for want of it
    .if_absent_instance = " ON CONFLICT (instance_id) DO NOTHING",
    .due_index = " INDEXED BY idx_outbox_due",
    .count_tables = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = :name",
};

} // namespace romancy
