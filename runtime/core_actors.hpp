#pragma once

#include <memory>
#include <optional>
#include <string>

#include <caf/all.hpp>

#include <romancy/outbox_options.hpp>

#include "actors/environment.hpp"
#include "actors/roster.hpp"

namespace romancy {

/// Which actors an app consists of, and in which order they depend on each other:
/// callback_runner, timekeeper, transaction_coordinator, worker_lease, session_pool, executor_pool, dispatcher,
/// commit_listener, janitor, then http_publisher and outbox_relayer. Without workflows there are no sessions to lend, no
/// executors and no dispatcher; on SQLite there is no session_pool, only PostgreSQL has a commit_listener, and there is a
/// janitor only if something is to be removed.
class core_actors {
public:
  core_actors(caf::actor_system& system, environment_ptr env);

  const caf::actor& supervisor() const noexcept { return supervisor_; }
  const std::shared_ptr<romancy::roster>& roster() const noexcept { return roster_; }

  /// One at a time. @pre no relayer runs
  void add_relayer(const outbox_options& options);
  /// `removed` is called when it has finished what was on the wire.
  void remove_relayer(std::function<void()> removed);
  /// Ends all, in order; the supervisor ends last.
  void drain();
  /// Drops the handles, so that the actor system can end.
  void forget();

private:
  environment_ptr env_;
  std::shared_ptr<romancy::roster> roster_;
  caf::actor supervisor_;
};

} // namespace romancy
