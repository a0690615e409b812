#include "storage/storage_failure.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

namespace romancy {

// SQLite's result codes: https://www.sqlite.org/rescode.html
storage_failure storage_failure::from(const soci::soci_error& error, const std::string& doing) {
  using enum failure_kind;
  const std::string text = "cannot " + doing + ": " + error.get_error_message();
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  if (!sqlite) return {other, text};
  switch (sqlite->result() & 0xff) {
    case SQLITE_CONSTRAINT:
      return {error.get_error_message().find("UNIQUE") == std::string::npos ? constraint_violation : unique_violation,
              text};
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {busy, text + ": another process holds the lock"};
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return {unavailable, text};
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_READONLY: return {broken, text};
    default: return {other, text};
  }
}

} // namespace romancy
