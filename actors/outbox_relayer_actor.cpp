#include "actors/outbox_relayer_actor.hpp"

#include <algorithm>

namespace romancy {

namespace {

constexpr std::uint64_t poll_timer = 0;
constexpr std::uint64_t retry_timer = 1;
constexpr std::uint64_t drain_timer = 2;
constexpr int max_claims = 4;

std::string describe(const event_answered& answer) {
  if (answer.status == 0) return answer.error;
  std::string text = "HTTP " + std::to_string(answer.status);
  if (answer.status < 200) text += ": no final answer";
  if (answer.status >= 300 && answer.status < 400)
    text += ": redirects are not followed, set the broker URL to the new address";
  if (!answer.error.empty()) text += ": " + answer.error;
  return text;
}

/// Text from outside, as a database takes it.
std::string printable(std::string text) {
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = ' ';
  return text;
}

} // namespace

outbox_relayer_actor::outbox_relayer_actor(caf::actor_config& cfg, environment_ptr env, outbox_options options,
                                           caf::actor coordinator, caf::actor publisher, caf::actor timekeeper,
                                           caf::actor callbacks)
    : event_based_actor{cfg}, env_{std::move(env)}, options_{std::move(options)}, coordinator_{std::move(coordinator)},
      publisher_{std::move(publisher)}, timekeeper_{std::move(timekeeper)}, callbacks_{std::move(callbacks)} {}

void outbox_relayer_actor::on_exit() {
  coordinator_ = nullptr;
  publisher_ = nullptr;
  timekeeper_ = nullptr;
  callbacks_ = nullptr;
  idle_listeners_.clear();
}

caf::behavior outbox_relayer_actor::make_behavior() {
  guard(this, name());
  send(coordinator_, watch_outbox{});
  send(coordinator_, release_events{}); // of an incarnation before this one
  poll_later();
  return {
      [this](const events_released&) {
        if (draining_) {
          released_ = true;
          finish_drain();
        } else {
          claim();
        }
      },
      [this](const events_committed&) { look(); },
      [this](events_claimed& claimed) {
        --claims_;
        if (draining_) return finish_drain(); // release_events gives them back
        const bool full = static_cast<int>(claimed.events.size()) == options_.batch_size;
        take(claimed.events);
        // A backlog is drawn in by several claims at once, so that none waits for the commit of another.
        if (full)
          while (claim()) {
          }
        else if (std::exchange(claim_again_, false))
          claim();
        tell_if_idle();
      },
      [this](const event_answered& answer) { answered(answer); },
      [this](const events_marked& result) { marked(result); },
      [this](const timer_fired& timer) {
        if (timer.ticket == drain_timer) { // what is sent and not answered is given back: at least once
          on_wire_.clear();
          return finish_drain();
        }
        if (timer.ticket == poll_timer) {
          poll_later();
        } else {
          wakes_.erase(wakes_.begin(), wakes_.upper_bound(env_->clock->now()));
          if (!wakes_.empty()) send(timekeeper_, set_timer{retry_timer, *wakes_.begin() - env_->clock->now()});
        }
        send_marks();
        look();
      },
      [this](report_idle& request) {
        idle_listeners_.push_back(std::move(request.idle));
        look();
      },
      [this](const request_failed& failure) {
        log().error("the relayer's request failed: {}", failure.message);
        if (failure.ticket == mark_ticket_ && mark_ticket_ != 0 && draining_) {
          marking_.clear(); // given back, and sent again: at least once
          to_mark_.clear();
        } else if (failure.ticket == mark_ticket_ && mark_ticket_ != 0) {
          // It stays ours, and is marked at the next poll.
          to_mark_.insert(to_mark_.begin(), std::make_move_iterator(marking_.begin()),
                          std::make_move_iterator(marking_.end()));
          marking_.clear();
        } else if (draining_ && claims_ == 0) {
          return quit(); // nothing can be given back: it is once this worker's lease has run out
        } else {
          claims_ = std::max(0, claims_ - 1);
        }
        tell_if_idle();
        finish_drain();
      },
      [this](const drain&) {
        draining_ = true;
        send(timekeeper_, set_timer{drain_timer, env_->options.shutdown_timeout / 3});
        finish_drain();
      },
  };
}

/// Not all processes at the same time.
void outbox_relayer_actor::poll_later() {
  const std::chrono::microseconds pause = options_.poll_interval;
  send(timekeeper_, set_timer{poll_timer, pause - pause / 10 * static_cast<int>(env_->entropy->next() % 100) / 100});
}

/// For a commit or a timer: one claim at a time is enough.
void outbox_relayer_actor::look() {
  if (claims_ > 0)
    claim_again_ = true;
  else
    claim();
}

/// False if there is no room for another batch; then it is remembered.
bool outbox_relayer_actor::claim() {
  if (draining_) return false;
  const auto busy = static_cast<int>(on_wire_.size()) + claims_ * options_.batch_size;
  if (claims_ >= max_claims || busy + options_.batch_size > std::max(options_.max_in_flight, options_.batch_size)) {
    claim_again_ = true;
    return false;
  }
  ++claims_;
  send(coordinator_, claim_events{options_.batch_size});
  return true;
}

void outbox_relayer_actor::take(std::vector<event_record>& events) {
  const auto now = env_->clock->now();
  const std::chrono::duration<double, std::ratio<3600>> max_age{options_.max_age_hours};
  publish_events batch;
  for (auto& event : events) {
    if (!event.unreadable.empty()) {
      mark({event.id, outbox_status::invalid, false, event.unreadable, {}}, event);
    } else if (options_.max_age_hours > 0 && now - event.created_at > max_age) {
      mark({event.id, outbox_status::expired, false, "", {}}, event);
    } else if (event.retry_count >= options_.max_retries) {
      mark({event.id, outbox_status::failed, false, event.last_error, {}}, event);
    } else {
      on_wire_.emplace(event.id, event);
      batch.events.push_back(std::move(event));
    }
  }
  if (!batch.events.empty()) send(publisher_, std::move(batch));
}

void outbox_relayer_actor::answered(const event_answered& answer) {
  auto node = on_wire_.extract(answer.event_id);
  if (!node) return;
  event_mark result{answer.event_id, outbox_status::pending, false, "", {}};
  if (answer.status >= 200 && answer.status < 300) {
    result.status = outbox_status::published;
  } else {
    result.last_error = printable(describe(answer));
    if (answer.status >= 400 && answer.status < 500) {
      result.status = outbox_status::invalid;
    } else {
      result.attempted = true;
      result.next_attempt_at = env_->clock->now() + options_.poll_interval;
    }
  }
  mark(std::move(result), std::move(node.mapped()));
  if (std::exchange(claim_again_, false)) look();
}

void outbox_relayer_actor::mark(event_mark mark, event_record event) {
  to_mark_.push_back({std::move(mark), std::move(event)});
  if (marking_.empty()) send_marks();
}

/// While one request is being committed the next one fills up.
void outbox_relayer_actor::send_marks() {
  if (to_mark_.empty() || !marking_.empty()) return;
  marking_ = std::exchange(to_mark_, {});
  mark_events request{++mark_ticket_, {}};
  for (const auto& entry : marking_) request.marks.push_back(entry.mark);
  send(coordinator_, std::move(request));
}

void outbox_relayer_actor::marked(const events_marked& result) {
  if (result.ticket != mark_ticket_) return;
  for (const auto& entry : marking_) {
    if (std::find(result.lost.begin(), result.lost.end(), entry.mark.event_id) != result.lost.end()) {
      log().warn("event {} was taken over by another relayer while it was on the wire", entry.mark.event_id);
      continue;
    }
    if (entry.mark.status == outbox_status::pending) {
      log().warn("event {} ({}) is not delivered in attempt {}: {}", entry.mark.event_id, entry.event.type,
                 entry.event.retry_count + 1, entry.mark.last_error);
      wake_at(entry.mark.next_attempt_at);
    } else if (entry.mark.status != outbox_status::published) {
      log().error("event {} ({}) is {}: {}", entry.mark.event_id, entry.event.type, to_string(entry.mark.status),
                  entry.mark.last_error);
    }
    call_hook(entry.mark, entry.event);
  }
  marking_.clear();
  send_marks();
  tell_if_idle();
  finish_drain();
}

void outbox_relayer_actor::wake_at(time_point due) {
  const bool nearest = wakes_.empty() || due < *wakes_.begin();
  wakes_.insert(due);
  if (nearest) send(timekeeper_, set_timer{retry_timer, due - env_->clock->now()});
}

void outbox_relayer_actor::tell_if_idle() {
  if (claims_ > 0 || claim_again_ || !on_wire_.empty() || !marking_.empty() || !to_mark_.empty()) return;
  for (const auto& tell : std::exchange(idle_listeners_, {})) tell();
}

void outbox_relayer_actor::finish_drain() {
  if (!draining_ || !on_wire_.empty() || !marking_.empty() || !to_mark_.empty()) return;
  if (released_)
    quit();
  else if (claims_ == 0)
    send(coordinator_, release_events{});
}

void outbox_relayer_actor::call_hook(const event_mark& mark, const event_record& event) {
  if (!env_->options.hooks || mark.status == outbox_status::pending) return;
  send(callbacks_,
       fire_hook{[status = mark.status, why = mark.last_error,
                  info = event_info{event.id, event.type, event.source, event.instance_id}](lifecycle_hooks& hooks) {
         switch (status) {
           case outbox_status::published: hooks.on_event_delivered(info); break;
           case outbox_status::failed: hooks.on_event_failed(info, why); break;
           case outbox_status::invalid: hooks.on_event_invalid(info, why); break;
           case outbox_status::expired: hooks.on_event_expired(info); break;
           case outbox_status::pending: break;
         }
       }});
}

} // namespace romancy
