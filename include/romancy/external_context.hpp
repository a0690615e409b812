#pragma once

#include <stop_token>
#include <string>

#include <romancy/detail/payload.hpp>
#include <romancy/detail/ports.hpp>

namespace romancy {

/// Given to an activity that calls the outside world: no transaction is open, however long it takes. Valid until the
/// activity returns. Its effects out there may happen more than once, when the process dies before the result is
/// recorded: pass `idempotency_key()` along.
class external_context {
public:
  explicit external_context(detail::activity_port& port) : port_{&port} {}
  external_context(const external_context&) = delete;
  external_context& operator=(const external_context&) = delete;

  /// The same for all attempts of this step, also after a restart: "<instance id>/<step>"; of an instance that has
  /// continued as new "<instance id>#<run>/<step>".
  std::string idempotency_key() const { return port_->idempotency_key(); }

  const std::string& instance_id() const { return port_->instance_id(); }
  /// "charge_card:1"
  const std::string& step() const { return port_->step(); }
  /// 1 for the first attempt; counts anew when the instance is replayed.
  int attempt() const { return port_->attempt(); }

  /// Requested when the result of this attempt is of no use any more: its timeout has passed, the instance was cancelled,
  /// another worker has taken it over, or the app stops, at once. The code may finish all the same: what it returns is
  /// committed, but after a timeout. For clients that take a token, and for waiting: `condition_variable_any::wait(lock,
  /// ctx.stop_token(), done)`. Callbacks on it run on a thread of the app: they must be short, and must not throw. The
  /// token may outlive the context. Of no meaning to replay.
  std::stop_token stop_token() const { return port_->stop_token(); }
  /// Ends an attempt that is asked to stop: to be called now and then by code that takes long.
  /// @throws attempt_timed_out, which counts as a failed attempt; attempt_stopped, which does not count. Let both leave
  /// the activity.
  void check_stop() const { port_->check_stop(); }

  template <class T = void> auto session() {
    static_assert(detail::always_false<T>,
                  "romancy: no transaction here: take romancy::activity_context& to use the session");
  }
  template <class Body> void transaction(Body&&) {
    static_assert(detail::always_false<Body>,
                  "romancy: no transaction here: take romancy::activity_context& to open a savepoint");
  }

private:
  detail::activity_port* port_;
};

} // namespace romancy
