#include "actors/executor_pool.hpp"

#include <algorithm>

#include "actors/activity_executor.hpp"
#include "actors/spawn_blocking.hpp"

namespace romancy {

executor_pool::executor_pool(caf::actor_config& cfg, environment_ptr env, caf::actor coordinator, caf::actor sessions)
    : event_based_actor{cfg}, env_{std::move(env)}, coordinator_{std::move(coordinator)}, sessions_{std::move(sessions)} {
}

void executor_pool::on_exit() {
  for (const auto& executor : idle_) tell(executor, drain{});
  for (const auto& [executor, attempt] : busy_) tell(caf::actor_cast<caf::strong_actor_ptr>(executor), drain{});
  waiting_.clear();
  idle_.clear();
  busy_.clear();
  coordinator_ = nullptr;
  sessions_ = nullptr;
}

caf::behavior executor_pool::make_behavior() {
  guard(this, name());
  set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) {
    std::erase_if(idle_, [&](const auto& executor) { return executor->address() == down.source; });
    if (auto node = busy_.extract(down.source)) {
      log().error("an executor ended: {}", caf::to_string(down.reason));
      tell(node.mapped().instance, attempt_failed{node.mapped().ticket, "its executor ended", attempt_fault::lost});
    }
    dispatch();
    finish_drain();
  });
  return {
      [this](execute_attempt& attempt) {
        if (draining_) return;
        waiting_.push_back({std::move(attempt), current_sender()});
        dispatch();
      },
      [this](const withdraw_attempt& unwanted) {
        const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& entry) {
          return entry.attempt.ticket == unwanted.ticket && entry.instance == current_sender();
        });
        if (found == waiting_.end()) return; // it runs, and will be answered
        waiting_.erase(found);
        tell(current_sender(), attempt_failed{unwanted.ticket, "it was withdrawn", attempt_fault::lost});
      },
      [this](const executor_idle&) {
        busy_.erase(current_sender()->address());
        idle_.push_back(current_sender());
        dispatch();
        finish_drain();
      },
      [this](const drain&) {
        draining_ = true;
        waiting_.clear();
        finish_drain();
      },
  };
}

void executor_pool::dispatch() {
  while (!waiting_.empty()) {
    caf::strong_actor_ptr executor;
    if (!idle_.empty()) {
      executor = std::move(idle_.back());
      idle_.pop_back();
    } else if (busy_.size() < static_cast<std::size_t>(std::max(1, env_->options.executors))) {
      const auto fresh = spawn_blocking<activity_executor>(this, *env_, env_, coordinator_, sessions_, caf::actor{this});
      monitor(fresh);
      executor = caf::actor_cast<caf::strong_actor_ptr>(fresh);
    } else {
      return;
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    busy_[executor->address()] = {next.attempt.ticket, next.instance};
    tell_as(next.instance, executor, std::move(next.attempt));
  }
}

void executor_pool::finish_drain() {
  if (draining_ && busy_.empty()) quit();
}

} // namespace romancy
