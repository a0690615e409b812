#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include <romancy/lifecycle_hooks.hpp>
#include <romancy/outbox_options.hpp>
#include <romancy/retention_options.hpp>
#include <romancy/retry_policy.hpp>

namespace caf {
class actor_system;
}

namespace romancy {

/// Everything an app can be told. Every member has a default, so that designated initializers name only what differs.
struct app_options {
  /// `postgresql://user:password@host:port/name?options`, `mysql://user:password@host:port/name?options`,
  /// `sqlite3://path` or a plain path. A file is made when it does not exist, its directory is not; nor is the database
  /// of a server.
  std::string database{};
  /// A label for people: logs and the `worker_epochs` table. Two apps may share it.
  std::string worker_id{};
  /// The `source` of events that do not name one. A URI reference, not empty.
  std::string service_name = "romancy";
  outbox_options outbox{};
  /// What is removed once it is old enough. By default only what is known of received events, after 7 days.
  retention_options retention{};
  /// Called as things happen; see lifecycle_hooks. Null: none.
  std::shared_ptr<lifecycle_hooks> hooks{};
  /// Of activities without `.retry(…)`, and of what workflows do by themselves: `ctx.transaction`, events. Exponential
  /// from 1 s, 5 attempts. Read anew at each start: what is under way goes on with the policy of today.
  retry_policy default_retry{};
  /// The service's own actor system to live in, or null: the app makes one. It must outlive the app, and be configured as
  /// romancy::configure in caf.hpp does it.
  caf::actor_system* actor_system = nullptr;
  /// PostgreSQL and MySQL: attempts that have a session at once, each a connection of its own, opened when it is needed.
  /// One more does all the rest, and with PostgreSQL another one listens.
  int database_sessions = 8;
  /// PostgreSQL: commits of this app wake other processes by NOTIFY, and theirs wake this one. All look by themselves
  /// too, only later.
  bool notify = true;
  /// Activities that run at once; each has a thread.
  int executors = 16;
  /// Instances kept in memory at once; more wait in the database. Starting does not count.
  int max_running_instances = 10'000;
  /// Calls of start that wait for their commit at once, those that have given up waiting included: while the database is
  /// away, more are refused as storage_error, retryable. So are as many calls of cancel.
  int max_waiting_starts = 10'000;
  /// Inputs, outputs and event data over this are refused where they are given, as payload_error.
  std::size_t max_payload_bytes = 1024 * 1024;
  /// Savepoints inside savepoints.
  int max_scope_depth = 64;
  /// How long a silent process keeps what it owns before another one takes over. Renewed three times as often.
  std::chrono::milliseconds worker_lease{10'000};
  /// An instance whose time has come, and whose workflow no app serves that runs on this database, is parked after this
  /// time, with a reason that says so; it goes on by itself once one serves it. Any app parks, so give all the same. Kept
  /// to within a minute. 0: it waits for ever.
  std::chrono::milliseconds unserved_grace{600'000};
  /// How long start-up and calls wait for a database that is locked or away, before they throw.
  std::chrono::milliseconds database_timeout{30'000};
  /// How long the destructor waits for running activities and requests; their stop tokens are requested when it begins.
  /// What is not done then is done after a restart.
  std::chrono::milliseconds shutdown_timeout{10'000};
};

} // namespace romancy
