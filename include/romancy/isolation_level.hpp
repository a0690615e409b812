#pragma once

namespace romancy {

/// How far the transaction of an activity is kept apart from others that run at the same time. What the database refuses
/// because of that (a serialization failure, a deadlock) undoes the whole attempt, which is run again without counting.
/// https://www.postgresql.org/docs/15/transaction-iso.html, https://mariadb.com/kb/en/set-transaction/
enum class isolation_level {
  read_committed,  ///< each statement sees what is committed before it
  repeatable_read, ///< all statements see what was committed before the first
  serializable,    ///< as if there were no others. SQLite: always this
};

} // namespace romancy
