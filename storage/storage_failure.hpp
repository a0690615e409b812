#pragma once

#include <string>

#include <romancy/error.hpp>

namespace soci {
class soci_error;
}

namespace romancy {

enum class failure_kind {
  unique_violation,
  constraint_violation,
  busy,        ///< someone else holds the lock: try again
  conflict,    ///< a deadlock or a serialization failure: the whole transaction has to be tried again
  unavailable, ///< disk full, I/O error, server or file gone: try again later
  broken,      ///< no database, corrupt, read-only, no access: someone has to mend it
  other,       ///< the statement itself
};

/// What a database error means for us. The one place where errors of SOCI are read.
class storage_failure : public storage_error {
public:
  storage_failure(failure_kind kind, const std::string& what)
      : storage_error{what,
                      kind == failure_kind::busy || kind == failure_kind::conflict || kind == failure_kind::unavailable},
        kind_{kind} {}
  failure_kind kind() const noexcept { return kind_; }

  /// `doing` says what was tried: "write the outbox".
  static storage_failure from(const soci::soci_error& error, const std::string& doing);
  /// Of opening a connection.
  static storage_failure from_connecting(const soci::soci_error& error);

private:
  failure_kind kind_;
};

} // namespace romancy
