// What an instance waits for that is not this process's to bring about: times, events, children.
#include <algorithm>

#include "actors/workflow_instance.hpp"

namespace romancy {

using way = pending_step::way;

namespace {
/// What comes so soon is waited for in memory.
constexpr auto short_wait = std::chrono::seconds{5};
} // namespace

/// Says what is waited for, and asks whether it is there. With nothing else on the way the instance then leaves memory,
/// unless what it waits for comes soon.
void workflow_instance::look_for_outcomes(bool something_happened) {
  look_again_ = look_again_ || something_happened;
  if (looking_ != 0 || leaving_ != leaving::not_yet) return;
  wait_for request;
  bool on_the_way = false;
  std::optional<time_point> next;
  for (auto& [ticket, step] : pending_) {
    const bool waits_for_time = step.waits && step.wait.kind == wait_kind::retry && step.wait.due;
    if (step.how != way::wait && !waits_for_time) {
      on_the_way = on_the_way || step.how != way::choose || !step.waits;
      continue;
    }
    request.waits.push_back(step.wait);
    if (!step.stored) {
      request.fresh.push_back(step.wait.activity_id);
      step.asked = next_ticket_;
    }
    if (!step.stored && step.child) request.children.emplace(step.wait.activity_id, *step.child);
    if (step.wait.due) next = next ? std::min(*next, *step.wait.due) : step.wait.due;
  }
  if (request.waits.empty()) return;
  if (!ending_ && record_.cancel_reason.empty()) request.deadline = record_.deadline;
  auto due = request.deadline; // which may have woken it just now
  if (next) due = due ? std::min(*due, *next) : next;
  request.rests = !on_the_way && !(due && *due - env_->clock->now() <= short_wait);
  if (request.fresh.empty() && !request.rests && !look_again_) return set_wait_timer();
  look_again_ = false;
  has_waited_ = true;
  looking_ = request.ticket = next_ticket_++;
  request.instance_id = record_.instance_id;
  request.fence = record_.fence;
  send(peers_.coordinator, std::move(request));
}

void workflow_instance::has_waited(waited& answer) {
  if (answer.ticket != looking_) return;
  looking_ = 0;
  if (answer.rests) {
    std::optional<time_point> due;
    if (!ending_ && record_.cancel_reason.empty()) due = record_.deadline;
    for (const auto& [ticket, step] : pending_)
      if (step.wait.due) due = due ? std::min(*due, *step.wait.due) : step.wait.due;
    send(how_.dispatcher, instance_rests{due});
    return quit();
  }
  if (!answer.outcomes.empty() && std::exchange(how_.failures, 0) > 0)
    send(how_.dispatcher, instance_goes_on{record_.instance_id});
  for (auto& [ticket, step] : pending_)
    if (step.asked == answer.ticket) step.stored = true; // others have begun meanwhile
  for (const auto& outcome : answer.outcomes) {
    const auto found = std::find_if(pending_.begin(), pending_.end(), [&](const auto& entry) {
      return entry.second.how == way::wait && entry.second.wait.activity_id == outcome.activity_id;
    });
    if (found == pending_.end()) continue;
    fill(*found->second.state, outcome);
    pending_.erase(found);
  }
  if (!answer.cancel_reason.empty() && record_.cancel_reason.empty()) return cancel(answer.cancel_reason);
  if (leaving_ != leaving::not_yet || is_cancelling()) return leave_if_nothing_is_on_the_way();
  make_choices();
  if (!ending_ && !answer.outcomes.empty())
    run_function();
  else
    look_for_outcomes(false);
}

void workflow_instance::set_wait_timer() {
  std::optional<time_point> next;
  for (const auto& [ticket, step] : pending_)
    if (step.waits && step.wait.due) next = next ? std::min(*next, *step.wait.due) : step.wait.due;
  if (!next) return;
  wait_timer_ = next_ticket_++;
  send(peers_.timekeeper, set_timer{wait_timer_, std::max(*next - env_->clock->now(), std::chrono::microseconds{0})});
}

void workflow_instance::time_has_come() {
  const auto now = env_->clock->now();
  std::vector<std::uint64_t> attempts;
  bool waits = false;
  for (const auto& [ticket, step] : pending_) {
    if (!step.waits || !step.wait.due || *step.wait.due > now) continue;
    if (step.wait.kind == wait_kind::retry)
      attempts.push_back(ticket);
    else
      waits = true;
  }
  for (const auto ticket : attempts) run_step(ticket);
  if (waits)
    look_for_outcomes(true);
  else
    set_wait_timer(); // the wall clock was set back, or there are others
}

} // namespace romancy
