#pragma once

#include <set>
#include <string>

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"

namespace romancy {

/// Tells the other processes that this one lives, three times a lease, and takes back what dead ones have left behind.
class worker_lease final : public caf::event_based_actor {
public:
  worker_lease(caf::actor_config& cfg, environment_ptr env, caf::actor coordinator, caf::actor timekeeper)
      : event_based_actor{cfg}, env_{std::move(env)}, coordinator_{std::move(coordinator)}, timekeeper_{
                                                                                                std::move(timekeeper)} {}
  const char* name() const override { return "worker_lease"; }

  caf::behavior make_behavior() override {
    guard(this, name());
    send(coordinator_, renew_epoch{});
    return {
        [this](const timer_fired&) {
          if (!draining_) send(coordinator_, renew_epoch{});
        },
        [this](const epoch_renewed&) {
          if (!draining_) send(coordinator_, take_over{});
          rearm();
        },
        [this](const taken_over& taken) {
          for (const auto& workflow : taken.unserved) say(workflow);
          if (taken.going_on > 0) log().info("{} instances go on: an app serves their workflow", taken.going_on);
          if (taken.dead == 0) return;
          log().info("taken over what {} dead worker(s) left behind", taken.dead);
          if (dispatcher_) send(dispatcher_, look_for_instances{});
        },
        [this](const request_failed& failure) {
          log().error("the lease of this worker cannot be renewed: {}", failure.message);
          if (draining_) return quit();
          rearm();
        },
        [this](const caf::actor& dispatcher) { dispatcher_ = dispatcher; },
        [this](const drain&) {
          draining_ = true;
          send(coordinator_, release_epoch{});
        },
        [this](const epoch_released&) { quit(); },
    };
  }

  void on_exit() override {
    coordinator_ = nullptr;
    timekeeper_ = nullptr;
    dispatcher_ = nullptr;
  }

private:
  /// Once for each workflow, and once more when it comes to parking.
  void say(const unserved_workflow& left) {
    if (left.marked > 0 && marked_.insert(left.workflow).second)
      log().warn(
          "{} instances of the workflow '{}' are due, and no running app serves it: they are parked in {} s, unless "
          "one is started that does",
          left.marked, left.workflow,
          std::chrono::duration_cast<std::chrono::seconds>(env_->options.unserved_grace).count());
    if (!left.parked.empty() && parked_.insert(left.workflow).second)
      log().error("{} instances are parked: {}", left.parked.size(), left.reason);
  }
  void rearm() { send(timekeeper_, set_timer{0, env_->options.worker_lease / 3}); }

  environment_ptr env_;
  caf::actor coordinator_;
  caf::actor timekeeper_;
  caf::actor dispatcher_;                 ///< introduces itself
  std::set<std::string> marked_, parked_; ///< workflows of which it was said
  bool draining_ = false;
};

} // namespace romancy
