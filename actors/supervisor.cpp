#include "actors/supervisor.hpp"

#include <algorithm>

namespace romancy {

namespace {
constexpr std::size_t too_many_deaths = 10; // within
constexpr auto window = std::chrono::minutes{1};
constexpr auto longest_pause = std::chrono::seconds{30};
} // namespace

supervisor::supervisor(caf::actor_config& cfg, environment_ptr env, std::shared_ptr<roster> names,
                       std::vector<child_spec> children)
    : event_based_actor{cfg}, env_{std::move(env)}, names_{std::move(names)} {
  for (auto& spec : children) children_.push_back({std::move(spec), nullptr});
}

void supervisor::on_exit() {
  for (auto& entry : children_) {
    names_->erase(entry.spec.name);
    if (entry.actor) send_exit(entry.actor, caf::exit_reason::kill);
  }
  children_.clear();
  if (removed_) std::exchange(removed_, nullptr)();
}

caf::behavior supervisor::make_behavior() {
  guard(this, name());
  set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) { child_down(down); });
  start_missing();
  return {
      [this](restart) {
        restart_due_ = false;
        start_missing();
      },
      [this](add_children& request) {
        for (auto& spec : request.children) children_.push_back({std::move(spec), nullptr});
        start_missing();
      },
      [this](remove_children& request) {
        removing_ = std::move(request.names);
        std::reverse(removing_.begin(), removing_.end());
        removed_ = std::move(request.removed);
        drain_next();
      },
      [this](const drain&) {
        draining_ = true;
        for (const auto& entry : children_)
          if (entry.spec.drains_at_once && entry.actor) send(entry.actor, drain{});
        removing_.clear();
        for (auto entry = children_.rbegin(); entry != children_.rend(); ++entry) removing_.push_back(entry->spec.name);
        drain_next();
      },
  };
}

/// Starts what does not run, in order; stops at the first that cannot be started.
void supervisor::start_missing() {
  if (draining_ || !ending_.empty()) return;
  for (auto& entry : children_) {
    if (entry.actor) continue;
    try {
      entry.actor = entry.spec.start(this);
    } catch (const std::exception& e) {
      has_died(entry, e.what());
      return;
    }
    monitor(entry.actor);
    names_->put(entry.spec.name, entry.actor);
    env_->health->running(entry.spec.name);
  }
}

void supervisor::has_died(child& dead, const std::string& why) {
  log().error("{} ended: {}", dead.spec.name, why);
  names_->erase(dead.spec.name);
  env_->health->down(dead.spec.name, why);
  dead.actor = nullptr;
  if (env_->options.hooks)
    if (const auto callbacks = names_->get("callback_runner"))
      send(callbacks,
           fire_hook{[part = dead.spec.name, why](lifecycle_hooks& hooks) { hooks.on_part_restarted(part, why); }});
  const auto now = clock().now();
  recent_deaths_.push_back(now);
  while (recent_deaths_.front() < now - window) recent_deaths_.pop_front();
  schedule_restart();
}

void supervisor::child_down(const caf::down_msg& down) {
  if (ending_.erase(down.source) > 0) {
    if (ending_.empty() && !restart_due_) start_missing();
    return;
  }
  const auto dead = std::find_if(children_.begin(), children_.end(),
                                 [&](const auto& entry) { return entry.actor && entry.actor.address() == down.source; });
  if (dead == children_.end()) return;
  const auto name = dead->spec.name;
  if (!removing_.empty() && removing_.front() == name) {
    names_->erase(name);
    env_->health->removed(name);
    children_.erase(dead);
    removing_.erase(removing_.begin());
    return drain_next();
  }
  if (draining_) {
    dead->actor = nullptr;
    if (down.reason && down.reason != caf::exit_reason::normal &&
        down.reason != caf::exit_reason::user_shutdown) { // the later ones would wait for its answers
      log().error("{} ended while it was drained: {}", name, caf::to_string(down.reason));
      for (auto later = std::next(dead); later != children_.end(); ++later)
        if (later->actor) send_exit(later->actor, caf::exit_reason::user_shutdown);
    }
    return;
  }
  for (auto later = std::next(dead); later != children_.end(); ++later) {
    if (!later->actor) continue;
    ending_.insert(later->actor.address());
    names_->erase(later->spec.name);
    env_->health->pausing(later->spec.name);
    send_exit(later->actor, caf::exit_reason::user_shutdown);
    later->actor = nullptr;
  }
  has_died(*dead, down.reason ? caf::to_string(down.reason) : "without being asked to");
  drain_next(); // what was being removed may be among them
}

void supervisor::schedule_restart() {
  if (std::exchange(restart_due_, true)) return;
  const auto deaths = recent_deaths_.size();
  std::chrono::milliseconds pause{10 << std::min<std::size_t>(deaths, 11)};
  if (deaths > too_many_deaths) {
    pause = longest_pause;
    log().critical("{} deaths of actors within a minute: the next start is in {} s", deaths, longest_pause.count());
  }
  delayed_send(this, pause, restart::value);
}

void supervisor::drain_next() {
  while (!removing_.empty()) {
    const auto next = std::find_if(children_.begin(), children_.end(),
                                   [&](const auto& entry) { return entry.spec.name == removing_.front(); });
    if (next != children_.end() && next->actor) {
      send(next->actor, drain{});
      return;
    }
    if (next != children_.end()) {
      env_->health->removed(next->spec.name);
      children_.erase(next);
    }
    removing_.erase(removing_.begin());
  }
  if (removed_) std::exchange(removed_, nullptr)();
  if (draining_) quit();
}

} // namespace romancy
