#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "storage/storage_failure.hpp"
#include "storage/tables.hpp"
#include "tests/support/lock_waits.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/test_database.hpp"

namespace romancy::testing {

using namespace std::chrono_literals;

inline long long number(database& db, const std::string& sql) {
  long long value = -1;
  db.session() << sql, soci::into(value);
  return value;
}
/// The first column of what `sql` selects.
inline std::vector<std::string> texts(database& db, const std::string& sql) {
  std::vector<std::string> all;
  std::string text;
  soci::statement select = (db.session().prepare << sql, soci::into(text));
  for (bool more = select.execute(true); more; more = select.fetch()) all.push_back(text);
  return all;
}
/// What goes wrong in `action`, as storage_failure says it. It must go wrong.
template <class Action> failure_kind kind_of_failure(Action action) {
  try {
    action();
  } catch (const storage_failure& e) {
    return e.kind();
  } catch (const soci::soci_error& e) {
    return storage_failure::from(e, "try").kind();
  }
  ADD_FAILURE() << "nothing went wrong";
  return failure_kind::other;
}

/// Connections to an empty database.
class connected : public on_every_database {
protected:
  std::unique_ptr<database> open(const database::options& how = {}) const { return database::open(url, how, 10s); }
  /// Until a transaction on a server waits for another one's lock.
  void wait_until_somebody_waits() const { testing::wait_until_somebody_waits(*open()); }
};

/// All tables over one connection to a migrated database.
class with_tables : public connected {
protected:
  std::unique_ptr<database> db = open({.busy_timeout = 1min});
  std::unique_ptr<tables> all;
  time_point now = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

  with_tables() {
    migrations::apply(*db);
    all = std::make_unique<tables>(*db);
  }
  event_record event(const std::string& id) const {
    event_record record;
    record.id = id;
    record.type = "t";
    record.source = "s";
    record.data = "{}";
    record.created_at = now;
    return record;
  }
  instance_record instance(const std::string& id, const std::string& workflow = "w") const {
    instance_record record;
    record.instance_id = id;
    record.workflow = workflow;
    record.input = "[]";
    return record;
  }
  /// Runs `action` in a transaction of its own on `db`.
  template <class Action> auto commit(Action action) { return commit_on(*db, action); }
  template <class Action> static auto commit_on(database& on, Action action) {
    on.begin();
    if constexpr (std::is_void_v<decltype(action())>) {
      action();
      on.commit();
    } else {
      auto result = action();
      on.commit();
      return result;
    }
  }
};

} // namespace romancy::testing
