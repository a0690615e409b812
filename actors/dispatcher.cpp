#include "actors/dispatcher.hpp"

#include <algorithm>

namespace romancy {

namespace {
constexpr std::uint64_t poll_timer = 0;
constexpr auto poll_interval = std::chrono::seconds{1};
constexpr auto restart_delay = std::chrono::seconds{1};
constexpr int claim_batch = 100;
} // namespace

dispatcher::dispatcher(caf::actor_config& cfg, environment_ptr env, instance_peers peers)
    : event_based_actor{cfg}, env_{std::move(env)}, peers_{std::move(peers)} {
  for (const auto& workflow : env_->definitions.workflows) workflows_.emplace_back(workflow.name);
}

void dispatcher::on_exit() {
  starting_.clear();
  for (auto& [id, instance] : instances_)
    if (instance) tell(instance, drain{});
  instances_.clear();
  by_address_.clear();
  peers_ = {};
}

caf::behavior dispatcher::make_behavior() {
  guard(this, name());
  set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) { instance_ended(down); });
  send(peers_.coordinator, release_instances{}); // of an incarnation before this one
  look();
  send(peers_.timekeeper, set_timer{poll_timer, poll_interval});
  return {
      [this](start_request& request) {
        if (draining_) return;
        const auto ticket = next_ticket_++;
        starting_.emplace(ticket, std::move(request.slot));
        send(peers_.coordinator, start_instance{ticket, std::move(request.instance)});
      },
      [this](instance_started& started) {
        auto node = starting_.extract(started.ticket);
        if (started.created && !draining_)
          run(started.instance, true);
        else if (!is_settled(started.instance.status))
          look(); // perhaps nobody owns it
        if (node) node.mapped()->started({started.created, std::move(started.instance)});
      },
      [this](instances_claimed& claimed) {
        looking_ = false;
        if (draining_) return; // what this epoch owns is given back at its end
        const bool more = std::exchange(look_again_, false) || static_cast<int>(claimed.instances.size()) == claim_batch;
        if (!claimed.instances.empty()) log().info("{} unfinished instances continue here", claimed.instances.size());
        for (auto& record : claimed.instances) run(std::move(record), false);
        if (more) look();
      },
      [this](const look_for_instances&) { look(); },
      [this](const timer_fired& timer) {
        if (timer.ticket == poll_timer) {
          look();
          send(peers_.timekeeper, set_timer{poll_timer, poll_interval});
        } else if (auto node = to_restart_.extract(timer.ticket)) {
          instances_.erase(node.mapped());
          send(peers_.coordinator, release_instances{node.mapped()}); // and claim it again, as it now is in the database
          look();
        }
      },
      [this](const request_failed& failure) {
        if (auto node = starting_.extract(failure.ticket)) return node.mapped()->refused(failure.message);
        looking_ = false;
        log().error("unfinished instances cannot be claimed: {}", failure.message);
      },
      [this](const drain&) {
        draining_ = true;
        for (auto& [id, instance] : instances_)
          if (instance) send(instance, drain{});
        finish_drain();
      },
  };
}

void dispatcher::look() {
  if (draining_ || workflows_.empty()) return;
  if (looking_) {
    look_again_ = true;
    return;
  }
  const auto room = env_->options.max_running_instances - static_cast<int>(instances_.size());
  if (room <= 0) {
    hungry_ = true;
    return;
  }
  looking_ = true;
  send(peers_.coordinator, claim_instances{workflows_, std::min(room, claim_batch)});
}

void dispatcher::run(instance_record record, bool fresh) {
  auto& actor = instances_[record.instance_id];
  if (actor) { // taken over from ourselves: the older actor cannot commit any more
    by_address_.erase(actor.address());
    send(actor, drain{});
  }
  const auto id = record.instance_id;
  actor = spawn<workflow_instance>(env_, peers_, std::move(record), fresh);
  by_address_.emplace(actor.address(), id);
  monitor(actor);
}

void dispatcher::instance_ended(const caf::down_msg& down) {
  const auto node = by_address_.extract(down.source);
  if (!node) return;
  const auto found = instances_.find(node.mapped());
  if (down.reason && down.reason != caf::exit_reason::normal && down.reason != caf::exit_reason::user_shutdown &&
      !draining_) {
    found->second = nullptr;
    const auto ticket = next_ticket_++;
    to_restart_.emplace(ticket, found->first);
    send(peers_.timekeeper, set_timer{ticket, restart_delay});
    return;
  }
  instances_.erase(found);
  if (std::exchange(hungry_, false)) look();
  finish_drain();
}

void dispatcher::finish_drain() {
  if (draining_ && by_address_.empty()) quit();
}

} // namespace romancy
