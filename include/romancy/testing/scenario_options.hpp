#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <romancy/app_options.hpp>

namespace soci {
class session;
}

namespace romancy::testing {

/// How a scenario begins.
struct scenario_options {
  /// Of each app in it. `database` may name a SQLite file that is kept; empty: a temporary one. `actor_system` is not
  /// used. `outbox.broker_url` may stay empty; the events go to scenario::broker.
  app_options app{};
  /// Apps on the one database, each like a process of its own.
  int nodes = 1;
  /// False: events stay in the outbox.
  bool relays = true;
  /// Makes the tables of the service, once, before the first app runs.
  std::function<void(soci::session&)> tables{};
  /// What ctx.now() tells at the beginning.
  std::chrono::sys_time<std::chrono::microseconds> begins_at =
      std::chrono::sys_days{std::chrono::year{2026} / std::chrono::January / 1};
  /// Virtual time after which a run_… gives up: something goes on for ever.
  std::chrono::hours patience{24 * 366 * 100};
  /// And the number of messages between actors.
  long long max_messages = 5'000'000;
};

} // namespace romancy::testing
