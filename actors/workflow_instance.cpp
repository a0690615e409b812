#include "actors/workflow_instance.hpp"

#include <algorithm>

namespace romancy {

using way = pending_step::way;

namespace {
constexpr int too_many_failures = 10;
constexpr std::uint64_t deadline_timer = 0;
} // namespace

workflow_instance::workflow_instance(caf::actor_config& cfg, environment_ptr env, instance_peers peers,
                                     instance_record record, beginning how)
    : event_based_actor{cfg}, env_{std::move(env)}, peers_{std::move(peers)}, record_{std::move(record)},
      how_{std::move(how)}, function_{*env_, record_, [this](pending_step step) { begin_step(std::move(step)); }} {}

void workflow_instance::on_exit() {
  withdraw_attempts(stop_cause::left);
  pending_.clear();
  function_.end();
  peers_ = {};
  how_.dispatcher = nullptr;
}

caf::behavior workflow_instance::make_behavior() {
  guard(this, "workflow_instance " + record_.instance_id);
  has_waited_ = !how_.fresh;
  if (record_.deadline && record_.status == instance_status::running && record_.cancel_reason.empty())
    send(peers_.timekeeper,
         set_timer{deadline_timer, std::max(*record_.deadline - env_->clock->now(), std::chrono::microseconds{0})});
  if (is_cancelling() && record_.status == instance_status::running) {
    fail("cancelled: " + record_.cancel_reason);
  } else if (how_.failures >= too_many_failures) {
    park("it could not go on, " + std::to_string(how_.failures) + " times one after another: " + how_.reason);
  } else if (how_.fresh) {
    call_hook([info = info()](lifecycle_hooks& hooks) { hooks.on_workflow_start(info); });
    start_function();
  } else {
    history_ticket_ = next_ticket_++;
    send(peers_.coordinator, load_history{history_ticket_, record_.instance_id});
  }
  return {
      [this](history_loaded& loaded) {
        if (pending_.contains(loaded.ticket)) return look_up_outcome(loaded);
        if (loaded.ticket != history_ticket_) return; // of a step that is not waited for any more
        go_on(loaded);
      },
      [this](const attempt_committed& outcome) { committed(outcome); },
      [this](const attempt_failed& failure) { attempt_has_failed(failure); },
      [this](waited& answer) { has_waited(answer); },
      [this](const instance_news&) {
        look_again_ = true;
        if (function_.runs() || ending_) look_for_outcomes(true); // else once history is there
      },
      [this](const timer_fired& timer) {
        if (timer.ticket == deadline_timer)
          send(peers_.coordinator,
               cancel_instance{next_ticket_++, {record_.instance_id, "its deadline has passed"}}); // as everybody cancels
        else if (timer.ticket == wait_timer_)
          time_has_come();
        else
          run_step(timer.ticket);
      },
      [this](const cancel_request& request) { cancel(request.reason); },
      [this](const instance_cancelled& cancelled) {
        if (cancelled.accepted) cancel(cancelled.request.reason);
      },
      [this](const continued_as_new& continued) {
        ++record_.run;
        record_.run_started_at = continued.run_started_at;
        record_.input = std::move(next_input_);
        record_.seed.reset();
        leaving_ = leaving::not_yet;
        ending_ = false;
        if (!cancelled_meanwhile_.empty()) {
          record_.cancel_reason = std::exchange(cancelled_meanwhile_, {});
          return fail("cancelled: " + record_.cancel_reason);
        }
        start_function();
      },
      [this](compensation_begun& begun) {
        record_.cancel_reason = std::move(begun.cancel_reason); // perhaps it was asked for just before
        if (begun.rests) {
          log().info("instance {} waits for its children to end", record_.instance_id);
          send(how_.dispatcher, instance_rests{});
          return quit();
        }
        to_undo_ = std::move(begun.remaining);
        std::reverse(to_undo_.begin(), to_undo_.end());
        compensate_next();
      },
      [this](instance_finished& finished) {
        if (finished.cancel_reason.empty()) return settled();
        record_.cancel_reason = std::move(finished.cancel_reason);
        fail("cancelled: " + record_.cancel_reason);
      },
      [this](const request_failed& failure) {
        if (failure.ownership_lost) {
          log().warn("instance {} is left to another worker: {}", record_.instance_id, failure.message);
          return quit();
        }
        log().error("instance {} cannot go on: {}", record_.instance_id, failure.message);
        quit(caf::make_error(caf::sec::runtime_error, failure.message)); // the dispatcher begins anew
      },
      [this](const drain&) { quit(); },
  };
}

// -- the workflow function --------------------------------------------------------------------------------------------

void workflow_instance::go_on(history_loaded& loaded) {
  look_again_ = look_again_ || !loaded.waits.empty(); // what has woken it
  for (const auto& outcome : loaded.history)
    if (outcome.event_type == to_string(history_event::compensation_failed)) not_undone_.push_back(outcome);
  function_.rewind(std::move(loaded.history), std::move(loaded.waits));
  if (is_cancelling() && record_.status == instance_status::running)
    return leave(leaving::cancelled); // asked for meanwhile
  if (record_.status == instance_status::compensating) {
    ending_ = true;
    has_waited_ = true;
    failure_ = record_.error;
    send(peers_.coordinator, begin_compensation{next_ticket_++, record_.instance_id, record_.fence, ""});
    return;
  }
  call_hook(
      [info = info(), steps = function_.history().steps()](lifecycle_hooks& hooks) { hooks.on_replay(info, steps); });
  act_on(function_.start());
}

void workflow_instance::start_function() {
  function_.rewind({}, {});
  act_on(function_.start());
}

void workflow_instance::run_function() { act_on(function_.go_on()); }

void workflow_instance::act_on(workflow_function::place where) {
  using enum workflow_function::place;
  switch (where) {
    case waits: return look_for_outcomes(false);
    case ended: return function_has_ended();
    case as_new: return leave(leaving::as_new);
    case stuck: return park(function_.why_stuck());
  }
}

void workflow_instance::function_has_ended() {
  try {
    output_ = function_.output();
    return leave(leaving::completed);
  } catch (const std::exception& e) {
    failure_ = e.what();
  } catch (...) {
    failure_ = "it threw something that is no std::exception";
  }
  leave(leaving::failed);
}

/// The function has asked for it, and runs on.
void workflow_instance::begin_step(pending_step step) {
  const auto ticket = step.attempt.ticket = step.commit.ticket = next_ticket_++;
  for (const auto& action : step.commit.step.channel_actions)
    if (action.what != channel_action::kind::publish && action.what != channel_action::kind::send) has_waited_ = true;
  auto& added = pending_.emplace(ticket, std::move(step)).first->second;
  if (added.how != way::wait && added.stored)
    resume_wait(added);
  else if (added.how == way::execute || added.how == way::commit)
    run_step(ticket);
  else
    added.waits = true;
  if (added.how == way::choose) make_choices();
}

void workflow_instance::call_hook(std::function<void(lifecycle_hooks&)> call) {
  if (env_->options.hooks) send(peers_.callbacks, fire_hook{std::move(call)});
}

activity_info workflow_instance::info(const execute_attempt& attempt) const {
  return {record_.instance_id, (attempt.kind == attempt_kind::compensation ? "@compensate:" : "") + attempt.activity_id,
          attempt.number};
}

} // namespace romancy
