#include "actors/janitor.hpp"

#include <algorithm>

namespace romancy {

namespace {
constexpr std::chrono::microseconds shortest_pause = std::chrono::milliseconds{10};
} // namespace

janitor::janitor(caf::actor_config& cfg, environment_ptr env, caf::actor coordinator, caf::actor timekeeper)
    : event_based_actor{cfg}, env_{std::move(env)}, coordinator_{std::move(coordinator)},
      timekeeper_{std::move(timekeeper)}, targets_{targets_of(env_->options.retention)} {}

void janitor::on_exit() {
  coordinator_ = nullptr;
  timekeeper_ = nullptr;
}

std::vector<janitor::target> janitor::targets_of(const retention_options& options) {
  std::vector<target> wanted{{retention_target::delivered_events, options.delivered_events},
                             {retention_target::dead_events, options.dead_events},
                             {retention_target::finished_instances, options.finished_instances},
                             {retention_target::inbox, options.inbox}};
  std::erase_if(wanted, [](const target& one) { return one.age == std::chrono::milliseconds{0}; });
  return wanted;
}

caf::behavior janitor::make_behavior() {
  guard(this, name());
  look_later(); // not while everybody starts
  return {
      [this](const timer_fired&) { ask(); },
      [this](const removed_old& answer) {
        removed_ += answer.removed;
        if (answer.removed < env_->options.retention.batch) { // there is no more of it
          if (removed_ > 0) log().info("removed {} {} that were old enough", removed_, to_string(targets_[next_].what));
          removed_ = 0;
          if (++next_ == targets_.size()) return look_later();
        }
        const auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock().now() - asked_at_);
        send(timekeeper_, set_timer{0, std::max(shortest_pause, took)});
      },
      [this](const request_failed& failure) {
        log().error("what is old enough cannot be removed: {}", failure.message);
        look_later();
      },
      [this](const drain&) { quit(); }, // what it has asked for is committed or not
  };
}

void janitor::ask() {
  asked_at_ = clock().now();
  send(coordinator_, remove_old{targets_[next_].what, targets_[next_].age, env_->options.retention.batch});
}

void janitor::look_later() {
  next_ = 0;
  removed_ = 0;
  const std::chrono::microseconds pause = env_->options.retention.interval;
  send(timekeeper_, set_timer{0, pause - pause / 10 * static_cast<int>(env_->entropy->next() % 100) / 100});
}

} // namespace romancy
