#pragma once

#include <array>
#include <string_view>

namespace romancy {

/// Where databases differ in what they are told. The tables put their SQL together from it; all that is not here is the
/// same everywhere. Migrations are in migrations/<name>/.
struct dialect {
  std::string_view name;               ///< also of SOCI's backend
  std::string_view begin;              ///< a transaction that will write
  std::string_view if_absent_instance; ///< ends an INSERT that does nothing, or fails, when the instance_id is there
  std::string_view insert_if_absent;   ///< begins an INSERT that does nothing when its key is there …
  std::string_view if_absent;          ///< … and ends it
  std::string_view due_index;          ///< after the table's name: how the claim of due events is to find them
  /// Selects unfinished instances, each in the order of an index: MySQL locks whatever it sorts.
  std::array<std::string_view, 2> unfinished;
  std::string_view unfinished_index; ///< after the table's name
  std::string_view count_tables;     ///< how many tables are called :name
  std::string_view skip_locked;      ///< ends a SELECT whose rows are taken, but for those that others are taking
  std::string_view keep_locked;      ///< ends a SELECT whose row must stay as it is until COMMIT
  std::string_view share_locked;     ///< the same, by many at once
  std::string_view lock_migrations;  ///< until COMMIT, or unlock_migrations; selects 1 when it has the lock
  std::string_view unlock_migrations;
  std::string_view now; ///< the time of the database, UTC; empty: it has no clock of its own
  /// One transaction writes at a time, over all processes: others wait for BEGIN, and nothing can come in between.
  bool one_writer;
  bool keeps_nul; ///< in text
  bool notifies;  ///< commits can wake other processes
};

/// https://www.sqlite.org/lang.html
inline constexpr dialect sqlite3_dialect{
    .name = "sqlite3",
    .begin = "BEGIN IMMEDIATE", // takes the write lock at once, so that nothing later can fail for want of it
    .if_absent_instance = " ON CONFLICT (instance_id) DO NOTHING",
    .insert_if_absent = "INSERT",
    .if_absent = " ON CONFLICT DO NOTHING",
    .due_index = " INDEXED BY idx_outbox_due",
    .unfinished = {"status IN ('running', 'compensating')"},
    .unfinished_index = "",
    .count_tables = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = :name",
    .skip_locked = "",
    .keep_locked = "",
    .share_locked = "",
    .lock_migrations = "", // BEGIN IMMEDIATE has done it
    .unlock_migrations = "",
    .now = "",
    .one_writer = true,
    .keeps_nul = true,
    .notifies = false,
};

/// https://www.postgresql.org/docs/15/sql.html
inline constexpr dialect postgresql_dialect{
    .name = "postgresql",
    .begin = "BEGIN",
    .if_absent_instance = " ON CONFLICT (instance_id) DO NOTHING",
    .insert_if_absent = "INSERT",
    .if_absent = " ON CONFLICT DO NOTHING",
    .due_index = "",
    .unfinished = {"status IN ('running', 'compensating')"},
    .unfinished_index = "",
    .count_tables = "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = :name",
    .skip_locked = " FOR UPDATE SKIP LOCKED",
    .keep_locked = " FOR UPDATE",
    .share_locked = " FOR SHARE",
    .lock_migrations = "SELECT 1 FROM pg_advisory_xact_lock(hashtext('romancy migrations'))",
    .unlock_migrations = "",
    .now = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
    .one_writer = false,
    .keeps_nul = false,
    .notifies = true,
};

/// https://mariadb.com/kb/en/sql-statements/
inline constexpr dialect mysql_dialect{
    .name = "mysql",
    .begin = "BEGIN",
    .if_absent_instance = "",            // one that updates nothing instead would count as a row too
    .insert_if_absent = "INSERT IGNORE", // also cuts what is too long, which is refused before
    .if_absent = "",
    .due_index = " FORCE INDEX (idx_outbox_due)",
    .unfinished = {"status = 'compensating'", "status = 'running'"},
    .unfinished_index = " FORCE INDEX (idx_instances_due)",
    .count_tables =
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = database() AND table_name = :name",
    .skip_locked = " FOR UPDATE SKIP LOCKED",
    .keep_locked = " FOR UPDATE",
    .share_locked = " LOCK IN SHARE MODE",
    .lock_migrations = "SELECT GET_LOCK(CONCAT('romancy ', MD5(database())), 60)",
    .unlock_migrations = "DO RELEASE_LOCK(CONCAT('romancy ', MD5(database())))",
    .now = "SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)",
    .one_writer = false,
    .keeps_nul = true,
    .notifies = false,
};

} // namespace romancy
