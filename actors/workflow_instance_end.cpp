// How an instance ends: it completes, fails, is cancelled or parks; compensations.
#include "actors/payload_text.hpp"
#include "actors/retry_of.hpp"
#include "actors/undo_refusal.hpp"
#include "actors/workflow_instance.hpp"

namespace romancy {

using way = pending_step::way;

void workflow_instance::cancel(const std::string& reason) {
  if (leaving_ == leaving::as_new) cancelled_meanwhile_ = reason; // of the next run
  if (ending_ || is_cancelling()) return;
  log().info("instance {} is cancelled: {}", record_.instance_id, reason);
  record_.cancel_reason = reason;
  if (!function_.runs()) return; // history is on its way
  leave(leaving::cancelled);
}

/// What is on the way ends first: an attempt that commits is undone like the others, or is part of what is complete.
void workflow_instance::leave(leaving how) {
  leaving_ = how;
  function_.leave();
  withdraw_attempts(how == leaving::cancelled ? stop_cause::cancelled : stop_cause::left);
  leave_if_nothing_is_on_the_way();
}

/// What has not begun does not begin for nobody, and what runs may stop.
void workflow_instance::withdraw_attempts(stop_cause why) {
  for (const auto& [ticket, step] : pending_)
    if (step.how == way::execute && !step.waits)
      tell_as(caf::strong_actor_ptr{ctrl()}, peers_.executors, withdraw_attempt{ticket, why});
}

void workflow_instance::leave_if_nothing_is_on_the_way() {
  if (looking_ != 0) return;
  for (const auto& [ticket, step] : pending_)
    if (!step.waits) return;
  pending_.clear();
  if (is_cancelling()) leaving_ = leaving::cancelled;
  switch (leaving_) {
    case leaving::not_yet: return;
    case leaving::completed: return settle(instance_status::completed, std::move(output_), "");
    case leaving::failed: return fail(failure_);
    case leaving::cancelled: return fail("cancelled: " + record_.cancel_reason);
    case leaving::as_new:
      ending_ = true;
      next_input_ = function_.new_input()->dump();
      function_.end();
      send(peers_.coordinator,
           continue_as_new{next_ticket_++, record_.instance_id, record_.fence, record_.run, next_input_});
  }
}

void workflow_instance::fail(const std::string& why) {
  ending_ = true;
  leaving_ = leaving::not_yet; // attempts to undo are tried again
  has_waited_ = true;
  failure_ = why.empty() ? "it failed without a word" : storable(why);
  function_.end();
  send(peers_.coordinator, begin_compensation{next_ticket_++, record_.instance_id, record_.fence, failure_});
}

void workflow_instance::compensate_next() {
  if (to_undo_.empty()) {
    const bool cancelled = !record_.cancel_reason.empty();
    auto error = cancelled ? record_.cancel_reason : failure_;
    for (const auto& outcome : not_undone_)
      error += "; not undone: " + outcome.activity_id.substr(std::string_view{"@compensate:"}.size()) + " (" +
               outcome.data + ')';
    return settle(cancelled ? instance_status::cancelled : instance_status::failed, "", std::move(error));
  }
  const auto& undo = to_undo_.back();
  const auto* entry = env_->definitions.find_activity(undo.activity_name);
  if (!entry || !entry->undo) return park(no_compensation(undo, failure_));
  const auto ticket = next_ticket_++;
  auto& step = pending_[ticket];
  step.retry = retry_of(entry, env_->options);
  step.attempt.ticket = ticket;
  step.attempt.kind = attempt_kind::compensation;
  step.attempt.instance_id = record_.instance_id;
  step.attempt.fence = record_.fence;
  step.attempt.activity_id = undo.activity_id;
  step.attempt.entry = entry;
  step.attempt.input = undo.arguments;
  step.attempt.compensation_id = undo.id;
  step.attempt.run = record_.run;
  auto known = function_.history().take_wait("@compensate:" + undo.activity_id);
  if (!known) return run_step(ticket);
  step.wait = std::move(*known);
  step.stored = true;
  resume_wait(step);
  look_for_outcomes(false);
}

void workflow_instance::park(const std::string& why) {
  log().error("instance {} is parked: {}", record_.instance_id, why);
  settle(instance_status::parked, "", why);
}

void workflow_instance::settle(instance_status status, std::string output, std::string error) {
  ending_ = true;
  withdraw_attempts(stop_cause::left);
  pending_.clear();
  function_.end();
  result_ = record_;
  result_.status = status;
  result_.output = std::move(output);
  result_.error = storable(std::move(error));
  send(peers_.coordinator, finish_instance{next_ticket_++, record_.instance_id, record_.fence, status, result_.output,
                                           result_.error, record_.parent_id, has_waited_});
}

void workflow_instance::settled() {
  call_hook([info = info(), result = result_](lifecycle_hooks& hooks) {
    switch (result.status) {
      case instance_status::completed: hooks.on_workflow_complete(info); break;
      case instance_status::failed: hooks.on_workflow_failed(info, result.error); break;
      case instance_status::cancelled: hooks.on_workflow_cancelled(info, result.error); break;
      case instance_status::parked: hooks.on_workflow_parked(info, result.error); break;
      default: break;
    }
  });
  env_->completions->settled(result_);
  quit();
}

} // namespace romancy
