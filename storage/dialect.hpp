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
  /// After the table's name: that rows are found by the index '#' and nothing else, where whatever is read is locked.
  /// Empty: nothing is locked but what is changed.
  std::string_view by_index;
  std::string_view id_matches; ///< that an instance_id fits the pattern '#', exactly as it is written
  std::string_view wildcards;  ///< of patterns: the first one stands for anything
  char escape;                 ///< before one that stands for itself; '[': around it
  // That what is at the path '@' in input_data equals the value '#', which is JSON text or, if !json_binds_json, the
  // characters of a string. Text that is no JSON has nothing anywhere.
  std::string_view json_text;
  std::string_view json_integer;   ///< of 64 bits, signed
  std::string_view json_large;     ///< one that has no sign, and is too large for that
  std::string_view json_number;    ///< with a fraction or an exponent
  std::string_view json_literal;   ///< true, false or null
  std::string_view json_array;     ///< that there is an array at '@'; empty: an index fits nothing else anyway
  std::string_view json_path_mode; ///< before a path
  bool json_binds_json;
  std::string_view now; ///< the time of the database, UTC; empty: it has no clock of its own
  /// One transaction writes at a time, over all processes: others wait for BEGIN, and nothing can come in between.
  bool one_writer;
  bool keeps_nul; ///< in text
  bool notifies;  ///< commits can wake other processes
};

inline constexpr std::string_view like_pattern = "instance_id LIKE # ESCAPE '!'";

/// jsonb has no U+0000: it becomes U+FDD0, which is no character. A backslash before its own is none of \u0000.
inline constexpr std::string_view jsonb_equals =
    R"(jsonb_path_query_first(CAST(CASE WHEN strpos(input_data, '\u0000') = 0 THEN input_data ELSE )"
    R"(regexp_replace(input_data, '(?<!\\)((\\\\)*)\\u0000', '\1\\ufdd0', 'g') END AS jsonb), )"
    R"(CAST(@ AS jsonpath), '{}', true) = CAST(# AS jsonb))";

inline constexpr std::string_view json_value_equals_integer =
    "JSON_TYPE(JSON_EXTRACT(input_data, @)) IN ('INTEGER', 'DOUBLE') AND "
    "CAST(JSON_VALUE(input_data, @) AS DOUBLE) = CAST(# AS DOUBLE) AND "
    "CAST(JSON_VALUE(input_data, @) AS DECIMAL(65, 30)) = CAST(# AS DECIMAL(65, 30))";

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
    .by_index = "",
    .id_matches = "instance_id GLOB #",
    .wildcards = "*?[",
    .escape = '[',
    // It reads a text up to the first U+0000: where there is one, the JSON itself is compared, as this library writes it.
    .json_text = R"(CASE WHEN json_valid(input_data) THEN json_type(input_data, @) = 'text' AND )"
                 R"(json_extract(input_data, @) = json_extract(#, '$') AND ((input_data -> @) = # OR )"
                 R"(instr(input_data -> @, '\u0000') + instr(#, '\u0000') = 0) ELSE 0 END)",
    .json_integer =
        "CASE WHEN json_valid(input_data) THEN json_type(input_data, @) IN ('integer', 'real') AND "
        "json_extract(input_data, @) = CAST(# AS INTEGER) ELSE 0 END",
    .json_large = "CASE WHEN json_valid(input_data) THEN (input_data -> @) = # ELSE 0 END", // it computes with 64 bits
    .json_number =
        "CASE WHEN json_valid(input_data) THEN json_type(input_data, @) IN ('integer', 'real') AND "
        "json_extract(input_data, @) = CAST(# AS REAL) ELSE 0 END",
    .json_literal = "CASE WHEN json_valid(input_data) THEN json_type(input_data, @) = # ELSE 0 END",
    .json_array = "",
    .json_path_mode = "",
    .json_binds_json = true,
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
    .by_index = "",
    .id_matches = like_pattern,
    .wildcards = "%_!",
    .escape = '!',
    .json_text = jsonb_equals,
    .json_integer = jsonb_equals,
    .json_large = jsonb_equals,
    .json_number = jsonb_equals,
    .json_literal = jsonb_equals,
    .json_array = "",
    .json_path_mode = "strict ", // else a name looks into the elements of an array, too
    .json_binds_json = true,
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
    .by_index = " FORCE INDEX (#)",
    .id_matches = like_pattern,
    .wildcards = "%_!",
    .escape = '!',
    .json_text = "JSON_TYPE(JSON_EXTRACT(input_data, @)) = 'STRING' AND JSON_VALUE(input_data, @) = #",
    // As DECIMAL, of which 35 digits are before the point: what has more is no integer of 64 bits.
    .json_integer = json_value_equals_integer,
    .json_large = json_value_equals_integer,
    .json_number =
        "JSON_TYPE(JSON_EXTRACT(input_data, @)) IN ('INTEGER', 'DOUBLE') AND "
        "CAST(JSON_VALUE(input_data, @) AS DOUBLE) = CAST(# AS DOUBLE)",
    .json_literal =
        "JSON_TYPE(JSON_EXTRACT(input_data, @)) IN ('BOOLEAN', 'NULL') AND "
        "CONCAT(JSON_EXTRACT(input_data, @), '') = #",
    .json_array = "JSON_TYPE(JSON_EXTRACT(input_data, @)) = 'ARRAY'",
    .json_path_mode = "",
    .json_binds_json = false,
    .now = "SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)",
    .one_writer = false,
    .keeps_nul = true,
    .notifies = false,
};

} // namespace romancy
