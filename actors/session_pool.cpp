#include "actors/session_pool.hpp"

#include "actors/spawn_blocking.hpp"
#include "actors/transaction_coordinator.hpp"

namespace romancy {

session_pool::session_pool(caf::actor_config& cfg, environment_ptr env, std::string epoch, caf::actor callbacks,
                           caf::actor general)
    : event_based_actor{cfg}, env_{std::move(env)}, epoch_{std::move(epoch)},
      callbacks_{std::move(callbacks)}, general_{std::move(general)} {}

void session_pool::on_exit() {
  for (const auto& [address, coordinator] : all_) send_exit(coordinator, caf::exit_reason::user_shutdown);
  waiting_.clear();
  all_.clear();
  free_.clear();
  callbacks_ = nullptr;
  general_ = nullptr;
}

caf::behavior session_pool::make_behavior() {
  guard(this, name());
  set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) {
    all_.erase(down.source);
    if (!draining_) return quit(caf::make_error(caf::sec::runtime_error, caf::to_string(down.reason)));
    finish_drain();
  });
  return {
      [this](acquire_session& request) {
        if (draining_) return;
        waiting_.push_back(std::move(request.request));
        dispatch();
      },
      [this](const session_free&) {
        if (const auto found = all_.find(current_sender()->address()); found != all_.end())
          free_.push_back(found->second);
        dispatch();
      },
      [this](const drain&) {
        draining_ = true;
        waiting_.clear();
        for (const auto& [address, coordinator] : all_) send(coordinator, drain{});
        finish_drain();
      },
  };
}

void session_pool::dispatch() {
  while (!waiting_.empty()) {
    if (waiting_.front()->slot().abandoned()) {
      waiting_.pop_front();
      continue;
    }
    caf::actor coordinator;
    if (!free_.empty()) {
      coordinator = std::move(free_.back());
      free_.pop_back();
    } else if (all_.size() < static_cast<std::size_t>(env_->options.database_sessions)) {
      coordinator =
          spawn_blocking<transaction_coordinator>(this, *env_, env_, epoch_, callbacks_, general_, caf::actor{this});
      monitor(coordinator);
      all_.emplace(coordinator.address(), coordinator);
    } else {
      return;
    }
    send(coordinator, acquire_session{std::move(waiting_.front())});
    waiting_.pop_front();
  }
}

void session_pool::finish_drain() {
  if (draining_ && all_.empty()) quit();
}

} // namespace romancy
