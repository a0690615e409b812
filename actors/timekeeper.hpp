#pragma once

#include <functional>
#include <queue>
#include <vector>

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"

namespace romancy {

/// All waiting for time: a heap of deadlines, and one delayed message to itself for the next of them. CAF's own timers are
/// never cancelled and can block its clock thread, so nothing else uses them for single requests or instances.
///
/// set_timer → timer_fired to its sender, once `due` has come. A sender that is gone by then is forgotten.
class timekeeper final : public caf::event_based_actor {
public:
  timekeeper(caf::actor_config& cfg, environment_ptr env) : event_based_actor{cfg}, env_{std::move(env)} {}
  const char* name() const override { return "timekeeper"; }

  caf::behavior make_behavior() override {
    guard(this, name());
    return {
        [this](const set_timer& request) {
          timers_.push({request.due, request.ticket, caf::actor_cast<caf::actor_addr>(current_sender())});
          arm();
        },
        [this](tick) {
          armed_ = time_point::max();
          fire();
          arm();
        },
        [this](const drain&) { quit(); },
    };
  }

private:
  using tick = caf::atom_constant<caf::atom("tick")>;

  struct timer {
    time_point due;
    std::uint64_t ticket;
    caf::actor_addr owner;
    bool operator>(const timer& other) const { return due > other.due; }
  };

  void fire() {
    const auto now = env_->clock->now();
    while (!timers_.empty() && timers_.top().due <= now) {
      if (auto owner = caf::actor_cast<caf::strong_actor_ptr>(timers_.top().owner))
        tell(owner, timer_fired{timers_.top().ticket});
      timers_.pop();
    }
  }

  /// A tick that comes too early, because a nearer deadline was set after it, finds nothing due and does no harm.
  void arm() {
    if (timers_.empty() || timers_.top().due >= armed_) return;
    armed_ = timers_.top().due;
    const auto wait = std::max(armed_ - env_->clock->now(), std::chrono::microseconds{0});
    delayed_send(this, std::chrono::duration_cast<std::chrono::nanoseconds>(wait), tick::value);
  }

  environment_ptr env_;
  std::priority_queue<timer, std::vector<timer>, std::greater<>> timers_;
  time_point armed_ = time_point::max();
};

} // namespace romancy
