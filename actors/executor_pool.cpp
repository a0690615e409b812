#include "actors/executor_pool.hpp"

#include <algorithm>

#include "actors/activity_executor.hpp"
#include "actors/spawn_blocking.hpp"

namespace romancy {

executor_pool::executor_pool(caf::actor_config& cfg, environment_ptr env, caf::actor coordinator, caf::actor sessions,
                             caf::actor timekeeper)
    : event_based_actor{cfg}, env_{std::move(env)}, coordinator_{std::move(coordinator)}, sessions_{std::move(sessions)},
      timekeeper_{std::move(timekeeper)} {}

void executor_pool::on_exit() {
  stop_all();
  for (const auto& executor : idle_) tell(executor, drain{});
  for (const auto& [executor, attempt] : busy_) tell(caf::actor_cast<caf::strong_actor_ptr>(executor), drain{});
  waiting_.clear();
  idle_.clear();
  busy_.clear();
  coordinator_ = nullptr;
  sessions_ = nullptr;
  timekeeper_ = nullptr;
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
        if (found == waiting_.end()) { // it runs, and will be answered
          for (const auto& [executor, attempt] : busy_)
            if (attempt.ticket == unwanted.ticket && attempt.instance == current_sender())
              attempt.control->stop(unwanted.why);
          return;
        }
        waiting_.erase(found);
        tell(current_sender(), attempt_failed{unwanted.ticket, "it was withdrawn", attempt_fault::lost});
      },
      [this](const deadline_moved&) { watch_deadlines(); },
      [this](const timer_fired&) {
        armed_ = instant::max();
        watch_deadlines();
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
        stop_all();
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
    busy_[executor->address()] = begin(next);
    tell_as(next.instance, executor, std::move(next.attempt));
    watch_deadlines();
  }
}

executor_pool::running executor_pool::begin(job& next) const {
  auto& attempt = next.attempt;
  running begun{attempt.ticket, next.instance, nullptr};
  if (attempt.entry && attempt.entry->timeout) {
    begun.timeout = *attempt.entry->timeout;
    begun.step = (attempt.kind == attempt_kind::compensation ? "@compensate:" : "") + attempt.activity_id + " of " +
                 attempt.instance_id;
  }
  begun.control = attempt.control = begun.timeout.count() > 0
                                        ? std::make_shared<attempt_control>(clock().now() + begun.timeout)
                                        : std::make_shared<attempt_control>();
  return begun;
}

void executor_pool::stop_all() {
  for (const auto& [executor, attempt] : busy_) attempt.control->stop(stop_cause::left);
}

/// One timer counts, that of the nearest deadline; those of attempts that have ended since do no harm.
void executor_pool::watch_deadlines() {
  const auto now = clock().now();
  auto next = instant::max();
  for (const auto& [executor, attempt] : busy_) {
    if (attempt.control->cause() != stop_cause::none) continue;
    const auto deadline = attempt.control->deadline();
    if (deadline > now)
      next = std::min(next, deadline);
    else if (attempt.control->stop(stop_cause::timed_out))
      log().warn(
          "{} runs longer than its timeout of {} ms: it is asked to stop, and keeps its thread until its code "
          "returns; code that takes long looks at ctx.stop_token(), or calls ctx.check_stop()",
          attempt.step, attempt.timeout.count());
  }
  if (next >= armed_) return;
  armed_ = next;
  send(timekeeper_, set_timer{0, std::chrono::ceil<std::chrono::microseconds>(next - now)});
}

void executor_pool::finish_drain() {
  if (draining_ && busy_.empty()) quit();
}

} // namespace romancy
