#include "storage/storage_failure.hpp"

#include <soci/mysql/soci-mysql.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/sqlite3/soci-sqlite3.h>

namespace romancy {

namespace {

using enum failure_kind;

// https://www.sqlite.org/rescode.html
failure_kind kind_of(const soci::sqlite3_soci_error& error) {
  switch (error.result() & 0xff) {
    case SQLITE_CONSTRAINT:
      return error.get_error_message().find("UNIQUE") == std::string::npos ? constraint_violation : unique_violation;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return busy;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return unavailable;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_READONLY: return broken;
    default: return other;
  }
}

// https://www.postgresql.org/docs/15/errcodes-appendix.html
failure_kind kind_of(const soci::postgresql_soci_error& error) {
  const auto state = error.sqlstate();
  const auto group = state.substr(0, 2);
  if (state == "23505") return unique_violation;
  if (group == "23") return constraint_violation;
  if (state == "55P03") return busy;                         // lock_not_available
  if (state == "40001" || state == "40P01") return conflict; // serialization_failure, deadlock_detected
  if (state == "28000" || state == "28P01" || state == "3D000" || state == "42501") return broken;
  if (state == "25P03") return unavailable; // idle_in_transaction_session_timeout has ended it
  if (group == "08" || group == "53" || group == "57" || group == "58" || state == "25006") // also: a standby
    return state == "57014" ? other : unavailable;                                          // query_canceled
  if (group == "XX") return broken;
  return other;
}

// https://mariadb.com/kb/en/mariadb-error-code-reference/
failure_kind kind_of(const soci::mysql_soci_error& error) {
  switch (error.err_num_) {
    case 1062:
    case 1586: return unique_violation;
    case 1048:
    case 1216:
    case 1217:
    case 1451:
    case 1452:
    case 4025: return constraint_violation;
    case 1205: // a lock did not come in time; the transaction is still there, but half of it is of no use
    case 1213:
    case 1020: return conflict;
    case 1021: // disk full
    case 1040: // too many connections
    case 1053: // shutdown
    case 1114: // table full
    case 1158:
    case 1159:
    case 1160:
    case 1161:
    case 1203:
    case 1290: // read only
    case 1317: // interrupted, as by KILL
    case 1836:
    case 1927:
    case 1969:
    case 2002:
    case 2003:
    case 2006:
    case 2013:
    case 2055: return unavailable;
    case 1044:
    case 1045:
    case 1049:
    case 1130: // host not allowed
    case 1142:
    case 1273: // unknown collation: no MariaDB
    case 1698: return broken;
    default: return other;
  }
}

failure_kind kind_of(const soci::soci_error& error) {
  if (const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) return kind_of(*sqlite);
  if (const auto* postgresql = dynamic_cast<const soci::postgresql_soci_error*>(&error)) return kind_of(*postgresql);
  if (const auto* mysql = dynamic_cast<const soci::mysql_soci_error*>(&error)) return kind_of(*mysql);
  return other;
}

std::string in_one_line(const std::string& text) {
  std::string line;
  for (const char c : text)
    if (c != '\n' && c != '\t')
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

} // namespace

storage_failure storage_failure::from(const soci::soci_error& error, const std::string& doing) {
  const auto kind = kind_of(error);
  auto text = "cannot " + doing + ": " + in_one_line(error.get_error_message());
  if (kind == busy) text += ": another process holds the lock";
  return {kind, text};
}

storage_failure storage_failure::from_connecting(const soci::soci_error& error) {
  const auto failure = from(error, "open the database");
  if (failure.kind() != other) return failure;
  // libpq gives no code for a connection that fails, only the server's text; of MySQL it is a certificate.
  const std::string text = failure.what();
  for (const auto* fatal :
       {"authentication failed", "does not exist", "no pg_hba.conf entry", "not permitted to", "permission denied for",
        "invalid connection option", "invalid sslmode", "no password supplied", "certificate", "does not support SSL"})
    if (text.find(fatal) != std::string::npos) return {broken, text};
  return {dynamic_cast<const soci::sqlite3_soci_error*>(&error) ? other : unavailable, text};
}

} // namespace romancy
