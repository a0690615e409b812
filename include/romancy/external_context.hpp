#pragma once

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
