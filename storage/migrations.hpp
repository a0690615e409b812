#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/database.hpp"

namespace romancy {

/// The numbered changes of the schema, embedded from storage/migrations/. Each is one transaction, where the
/// database has transactions for it; many processes may apply them at once.
class migrations {
public:
  struct step {
    int version;
    const char* name;
    const char* sql;
  };
  /// Of a kind of database: the same numbers and names everywhere.
  static const std::vector<step>& all(const romancy::dialect& of);

  /// The statements of a step, which end with ';' at the end of a line: SOCI runs the first of a text and drops the rest.
  static std::vector<std::string> statements(std::string_view script);
  /// What makes the table of the schema's version, before the first step, and what is written into it after each.
  static const char* const schema_table;
  static std::string record(const step& applied);

  /// The newest version that the code knows.
  static int newest();
  /// Of a database; 0: Romancy's tables are not there.
  static int current(database& db);
  /// The steps that apply() would run. Only looks. @throws startup_error if its schema is newer than the code;
  /// storage_failure.
  static std::vector<step> pending(database& db);
  /// Only looks. @throws startup_error if the database is not at newest(); storage_failure.
  static void check(database& db);
  /// Brings the database to newest() and returns the names of the steps that were applied.
  /// @throws startup_error if its schema is newer than the code; storage_failure.
  static std::vector<std::string> apply(database& db);
};

} // namespace romancy
