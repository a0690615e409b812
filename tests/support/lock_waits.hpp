#pragma once

#include <chrono>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "storage/database.hpp"

namespace romancy::testing {

/// Until a transaction on the server waits for another one's lock, in the database of this connection.
inline void wait_until_somebody_waits(database& on) {
  const bool postgresql = on.dialect().name == postgresql_dialect.name;
  const auto* waiting = postgresql ? "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                                     "datname = current_database()"
                                   : "SELECT count(*) FROM information_schema.processlist p JOIN "
                                     "information_schema.innodb_trx t ON t.trx_mysql_thread_id = p.id "
                                     "WHERE p.db = database() AND t.trx_state = 'LOCK WAIT'";
  // MariaDB looks anew only when nobody has asked for 100 ms, and other tests ask it too.
  static std::minstd_rand random{std::random_device{}()};
  const auto pause = [&] { return std::chrono::milliseconds{postgresql ? 1 : 110 + random() % 300}; };
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  for (long long found = 0; found == 0; std::this_thread::sleep_for(pause())) {
    on.session() << waiting, soci::into(found);
    if (std::chrono::steady_clock::now() >= end) {
      ADD_FAILURE() << "nobody waits";
      return;
    }
  }
}

} // namespace romancy::testing
