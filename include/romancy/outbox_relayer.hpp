#pragma once

#include <memory>
#include <optional>
#include <string>

#include <romancy/health.hpp>
#include <romancy/outbox_options.hpp>
#include <romancy/storage.hpp>

namespace romancy {

/// What a stand-alone relayer needs: where events lie, and outbox_options.
struct relayer_options : outbox_options {
  /// The storage of an app in this process: `app.storage()`. Comes before `database`; lease and timeouts are the app's.
  std::optional<romancy::storage> storage{};
  /// The database by URL, for a process that only relays.
  std::string database{};
  std::string worker_id{};
  std::chrono::milliseconds worker_lease{10'000};
  std::chrono::milliseconds database_timeout{30'000};
  std::chrono::milliseconds shutdown_timeout{10'000};
  /// PostgreSQL: commits of other processes wake it by NOTIFY, on a connection of its own.
  bool notify = true;
};

/// Delivers the events of an outbox; any number may work on one database. Seed: "Advanced Configuration".
/// Thread-safe. The destructor stops it.
class outbox_relayer {
public:
  /// Opens nothing yet. @throws startup_error if an option makes no sense; it names the option.
  explicit outbox_relayer(relayer_options options);
  ~outbox_relayer();
  outbox_relayer(const outbox_relayer&) = delete;
  outbox_relayer& operator=(const outbox_relayer&) = delete;

  /// Begins to deliver; returns when the database is open. Does nothing when already started.
  /// @throws startup_error
  void start();
  /// Lets requests on the wire end, within `shutdown_timeout`, and gives back what is not sent.
  void stop();
  /// Until nothing is due any more and nothing is on the wire. Starts it if necessary.
  /// Returns false when `timeout` passed first.
  bool run_once(std::chrono::milliseconds timeout);
  romancy::health health() const;

private:
  class state;
  std::unique_ptr<state> state_;
};

} // namespace romancy
