#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include <caf/all.hpp>

#include <romancy/app_options.hpp>
#include <romancy/detail/ports.hpp>
#include <romancy/health.hpp>

#include "actors/environment.hpp"
#include "runtime/core_actors.hpp"
#include "storage/database_url.hpp"

namespace romancy {

/// A running actor system over one database: what an app and a stand-alone relayer consist of. Thread-safe.
class engine {
public:
  /// Opens and migrates the database and starts the actors.
  /// @throws startup_error that names the option or the database, and the remedy.
  engine(app_options options, detail::definition_table definitions, detail::dependency_set dependencies);
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  const app_options& options() const noexcept { return env_->options; }
  const database_url& url() const noexcept { return url_; }
  const environment& env() const noexcept { return *env_; }
  romancy::roster& roster() noexcept { return *core_->roster(); }

  /// @throws startup_error if one runs already, or an option makes no sense.
  void add_relayer(const outbox_options& options);
  /// Within app_options::shutdown_timeout.
  void remove_relayer();
  romancy::health health() const;
  bool stopped() const;
  /// Ends all actors within app_options::shutdown_timeout; what is unfinished is in the database.
  void shut_down();

private:
  void make_ready(database::options how) const;

  database_url url_;
  std::shared_ptr<environment> env_;
  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> system_; ///< null: the service's own is used
  std::unique_ptr<core_actors> core_;
  mutable std::mutex mutex_;
  std::shared_ptr<std::atomic<bool>> relays_ = std::make_shared<std::atomic<bool>>(false);
  bool stopped_ = false;
};

/// Now and `timeout`, however long that is.
inline std::chrono::steady_clock::time_point deadline_after(std::chrono::milliseconds timeout) {
  const auto now = std::chrono::steady_clock::now();
  const auto longest = std::chrono::steady_clock::time_point::max() - now;
  return timeout < std::chrono::duration_cast<std::chrono::milliseconds>(longest)
             ? now + timeout
             : std::chrono::steady_clock::time_point::max();
}

/// @throws startup_error that names the option and says what it may be.
void check(const app_options& options);
void check(const outbox_options& options);
void check(const retention_options& options);

} // namespace romancy
