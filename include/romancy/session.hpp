#pragma once

#include <soci/soci.h>

namespace romancy {

/// The SOCI session of the running attempt: `<<`, `prepare`, `soci::rowset` and `soci::statement` work as usual, over
/// `native_handle()` where they want a soci::session.
///
/// Owned by the runtime; valid until the activity returns; for the activity's own thread. What is written through it
/// commits together with the activity's result and its events, or not at all. It cannot begin, commit or roll back:
/// return to commit, throw to roll back, `ctx.transaction` to undo a part. Raw `COMMIT`, `ROLLBACK`, `BEGIN` or
/// `SAVEPOINT` text is refused and fails the step; so is what would change the connection for others: temporary tables,
/// `PRAGMA` (but those that only look) and `ATTACH` of SQLite, `SET` and its like of PostgreSQL and MySQL, on MySQL also
/// `CREATE` and whatever else it commits by itself; and begin(), commit() and rollback() of `native_handle()`. See
/// docs/guide/databases.md.
///
/// SOCI runs a statement at the end of the full expression and binds `soci::use(x)` by reference: x must be a variable.
/// Placeholders are `:name`. Seed: "Why Use ctx.Session()?".
class session {
public:
  explicit session(soci::session& native) : prepare{native.prepare}, native_{&native} {}
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  template <class T> soci::details::once_temp_type operator<<(const T& query) { return native_->once << query; }
  soci::details::prepare_type& prepare;
  soci::session& native_handle() noexcept { return *native_; }

private:
  soci::session* native_;
};

} // namespace romancy
