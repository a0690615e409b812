#include "actors/dispatcher.hpp"

#include <algorithm>

namespace romancy {

namespace {
constexpr std::uint64_t poll_timer = 0;
constexpr auto poll_interval = std::chrono::seconds{1};
constexpr int longest_idle_pause = 4; // polls
constexpr auto longest_restart_pause = std::chrono::seconds{60};
constexpr int claim_batch = 100;
constexpr auto shortest_look = std::chrono::milliseconds{1}; // what is due and was not claimed is held by somebody
} // namespace

dispatcher::dispatcher(caf::actor_config& cfg, environment_ptr env, instance_peers peers)
    : event_based_actor{cfg}, env_{std::move(env)}, peers_{std::move(peers)}, workflows_{env_->served_workflows()} {}

void dispatcher::on_exit() {
  starting_.clear();
  receiving_.clear();
  cancelling_.clear();
  forking_.clear();
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
  send(peers_.coordinator, watch_instances{});
  look();
  poll_later();
  return {
      [this](start_request& request) {
        if (draining_) return;
        if (starting_.size() >= static_cast<std::size_t>(env_->options.max_waiting_starts))
          return request.slot->refused("instance " + request.instance.instance_id +
                                           " is not started: " + std::to_string(starting_.size()) +
                                           " others wait for the database already: try again later",
                                       true);
        const auto ticket = next_ticket_++;
        starting_.emplace(ticket, std::move(request.slot));
        send(peers_.coordinator, start_instance{ticket, std::move(request.instance)});
      },
      [this](instance_started& started) {
        auto node = starting_.extract(started.ticket);
        if (started.created && !draining_)
          run(started.instance, true);
        else if (started.ours && !is_settled(started.instance.status) &&
                 !instances_.contains(started.instance.instance_id) && !draining_)
          run(started.instance, false); // started by a commit whose outcome was not known
        else if (!is_settled(started.instance.status))
          look(); // perhaps nobody owns it
        if (node) node.mapped()->answered(std::move(started));
      },
      [this](cancel_instance_request& request) {
        if (draining_) return;
        if (cancelling_.size() >= static_cast<std::size_t>(env_->options.max_waiting_starts))
          return request.slot->refused(
              "instance " + request.request.instance_id +
                  " is not cancelled: too many requests wait for the database already: try again "
                  "later",
              true);
        const auto ticket = next_ticket_++;
        cancelling_.emplace(ticket, std::move(request.slot));
        send(peers_.coordinator, cancel_instance{ticket, std::move(request.request)});
      },
      [this](instance_cancelled& cancelled) {
        if (cancelled.accepted) {
          stop_and_undo(cancelled.request);
          look(); // it may have been parked
        }
        if (auto node = cancelling_.extract(cancelled.ticket)) node.mapped()->answered(std::move(cancelled));
      },
      [this](instances_claimed& claimed) {
        looking_ = false;
        if (draining_) return; // what this epoch owns is given back at its end
        for (const auto& news : claimed.news)
          if (!instances_.contains(news.instance_id)) // claimed by a commit that came after its answer was given up
            send(peers_.coordinator, release_instances{next_ticket_++, news.instance_id});
          else if (news.reason.empty())
            tell_instance(news.instance_id, instance_news{});
          else
            stop_and_undo(news);
        wake_at(claimed.next_due);
        const bool more = std::exchange(look_again_, false) ||
                          (asked_for_ > 0 && static_cast<int>(claimed.instances.size()) == asked_for_);
        if (!claimed.instances.empty()) log().debug("{} instances go on here", claimed.instances.size());
        for (auto& record : claimed.instances) run(std::move(record), false);
        if (more) look();
      },
      [this](const look_for_instances&) { look(); },
      [this](const instances_committed&) { look(); },
      [this](const instance_rests& instance) { wake_at(instance.due); },
      [this](receive_request& request) {
        if (draining_) return;
        const auto ticket = next_ticket_++;
        receiving_.emplace(ticket, std::move(request.slot));
        send(peers_.coordinator, receive_events{ticket, std::move(request.events)});
      },
      [this](events_received& received) {
        if (auto node = receiving_.extract(received.ticket)) node.mapped()->answered(std::move(received));
      },
      [this](fork_instance_request& request) {
        if (draining_) return;
        const auto ticket = next_ticket_++;
        forking_.emplace(ticket, std::move(request.slot));
        send(peers_.coordinator, fork_instance{ticket, std::move(request.fork)});
      },
      [this](instance_forked& forked) {
        if (auto node = forking_.extract(forked.ticket)) node.mapped()->answered(std::move(forked));
      },
      [this](const timer_fired& timer) {
        if (timer.ticket == poll_timer) {
          poll();
        } else if (timer.ticket == due_timer_) {
          next_due_.reset();
          look();
        } else if (auto node = to_restart_.extract(timer.ticket)) {
          const auto ticket = next_ticket_++;
          send(peers_.coordinator, release_instances{ticket, node.mapped()});
          releasing_.emplace(ticket, std::move(node.mapped()));
        }
      },
      [this](const instances_released& released) {
        if (auto node = releasing_.extract(released.ticket)) {
          instances_.erase(node.mapped());
          look(); // and claim it again, as it now is in the database
        }
      },
      [this](const instance_goes_on& instance) { troubled_.erase(instance.instance_id); },
      [this](const request_failed& failure) {
        // What may succeed later is not refused, but tried again there.
        if (auto node = starting_.extract(failure.ticket)) return node.mapped()->refused(failure.message, false);
        if (auto node = cancelling_.extract(failure.ticket)) return node.mapped()->refused(failure.message, false);
        if (auto node = receiving_.extract(failure.ticket)) return node.mapped()->refused(failure.message, false);
        if (auto node = forking_.extract(failure.ticket)) return node.mapped()->refused(failure.message, false);
        if (auto node = releasing_.extract(failure.ticket)) {
          log().error("instance {} cannot be begun anew: {}", node.mapped(), failure.message);
          return restart_later(node.mapped());
        }
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
  const auto room = std::max(0, env_->options.max_running_instances - static_cast<int>(instances_.size()));
  hungry_ = room == 0; // it is still worth asking, for those that are to be cancelled
  looking_ = true;
  asked_for_ = std::min(room, claim_batch);
  send(peers_.coordinator, claim_instances{workflows_, asked_for_});
}

/// Those who have nothing to do look less often.
void dispatcher::poll() {
  if (!instances_.empty()) until_look_ = pause_ = 1;
  if (--until_look_ <= 0) {
    look();
    until_look_ = pause_ = instances_.empty() ? std::min(pause_ * 2, longest_idle_pause) : 1;
  }
  poll_later();
}

/// Not all processes at the same time.
void dispatcher::poll_later() {
  const std::chrono::microseconds pause = poll_interval;
  send(peers_.timekeeper,
       set_timer{poll_timer, pause - pause / 10 * static_cast<int>(env_->entropy->next() % 100) / 100});
}

void dispatcher::run(instance_record record, bool fresh) {
  auto& actor = instances_[record.instance_id];
  if (actor) { // taken over from ourselves: the older actor cannot commit any more
    by_address_.erase(actor.address());
    send(actor, drain{});
  }
  const auto id = record.instance_id;
  workflow_instance::beginning how{.fresh = fresh};
  if (const auto found = troubled_.find(id); found != troubled_.end()) {
    how.failures = found->second.failures;
    how.reason = found->second.reason;
  }
  how.dispatcher = this;
  actor = spawn<workflow_instance>(env_, peers_, std::move(record), std::move(how));
  by_address_.emplace(actor.address(), id);
  monitor(actor);
}

/// If it runs here. Its owner elsewhere finds the request when it looks for work.
void dispatcher::stop_and_undo(const cancel_request& request) { tell_instance(request.instance_id, request); }

template <class Message> void dispatcher::tell_instance(const std::string& instance_id, const Message& message) {
  if (const auto found = instances_.find(instance_id); found != instances_.end() && found->second)
    send(found->second, message);
}

/// Looks again when the next instance is due that nobody owns, to the millisecond.
void dispatcher::wake_at(const std::optional<time_point>& due) {
  if (!due || (next_due_ && *next_due_ <= *due)) return;
  next_due_ = due;
  due_timer_ = next_ticket_++;
  send(peers_.timekeeper,
       set_timer{due_timer_, std::max<std::chrono::microseconds>(*due - env_->clock->now(), shortest_look)});
}

void dispatcher::instance_ended(const caf::down_msg& down) {
  const auto node = by_address_.extract(down.source);
  if (!node) return;
  const auto found = instances_.find(node.mapped());
  if (down.reason && down.reason != caf::exit_reason::normal && down.reason != caf::exit_reason::user_shutdown &&
      !draining_) {
    found->second = nullptr;
    auto& known = troubled_[found->first];
    ++known.failures;
    known.reason = caf::to_string(down.reason);
    restart_later(found->first);
    return;
  }
  troubled_.erase(found->first);
  instances_.erase(found);
  if (std::exchange(hungry_, false)) look();
  finish_drain();
}

void dispatcher::restart_later(const std::string& instance_id) {
  const int doublings = std::min(std::max(0, troubled_[instance_id].failures - 1), 6);
  const auto ticket = next_ticket_++;
  to_restart_.emplace(ticket, instance_id);
  send(peers_.timekeeper, set_timer{ticket, std::min(std::chrono::seconds{1 << doublings}, longest_restart_pause)});
}

void dispatcher::finish_drain() {
  if (draining_ && by_address_.empty()) quit();
}

} // namespace romancy
