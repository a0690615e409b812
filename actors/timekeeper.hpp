#pragma once

#include <functional>
#include <queue>
#include <vector>

#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"

namespace romancy {

/// All waiting for time: a heap of deadlines, and one delayed message to itself for the next of them. CAF's own timers
/// are never cancelled and can block its clock thread, so nothing else uses them for single requests or instances.
///
/// set_timer → timer_fired to its sender, once the time has passed. A sender that is gone by then is forgotten.
class timekeeper final : public caf::event_based_actor {
public:
  explicit timekeeper(caf::actor_config& cfg) : event_based_actor{cfg} {}
  const char* name() const override { return "timekeeper"; }

  caf::behavior make_behavior() override {
    guard(this, name());
    return {
        [this](const set_timer& request) {
          timers_.push(
              {clock().now() + request.after, request.ticket, caf::actor_cast<caf::actor_addr>(current_sender())});
          arm();
        },
        [this](tick, std::int64_t armed_for) {
          if (armed_for != armed_.time_since_epoch().count()) return; // a nearer deadline was set after it
          armed_ = instant::max();
          fire();
          arm();
        },
        [this](const drain&) { quit(); },
    };
  }

private:
  using instant = caf::actor_clock::time_point;
  using tick = caf::atom_constant<caf::atom("tick")>;

  struct timer {
    instant due;
    std::uint64_t ticket;
    caf::actor_addr owner;
    bool operator>(const timer& other) const { return due > other.due; }
  };

  void fire() {
    const auto now = clock().now();
    while (!timers_.empty() && timers_.top().due <= now) {
      if (auto owner = caf::actor_cast<caf::strong_actor_ptr>(timers_.top().owner))
        tell(owner, timer_fired{timers_.top().ticket});
      timers_.pop();
    }
  }

  /// One tick counts, the nearest; one that was sent before it for a later deadline ends when it arrives.
  void arm() {
    if (timers_.empty() || timers_.top().due >= armed_) return;
    armed_ = timers_.top().due;
    delayed_send(this, std::max(armed_ - clock().now(), instant::duration{0}), tick::value,
                 static_cast<std::int64_t>(armed_.time_since_epoch().count()));
  }

  std::priority_queue<timer, std::vector<timer>, std::greater<>> timers_;
  instant armed_ = instant::max();
};

} // namespace romancy
