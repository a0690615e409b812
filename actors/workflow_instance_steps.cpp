// The steps of an instance: attempts, their outcomes, and what comes after failures.
#include <algorithm>

#include "actors/attempt_details.hpp"
#include "actors/payload_text.hpp"
#include "actors/undo_refusal.hpp"
#include "actors/workflow_instance.hpp"

namespace romancy {

using way = pending_step::way;

namespace {
/// After an attempt that was lost through no fault of its own.
std::chrono::milliseconds lost_pause(int times) { return std::chrono::milliseconds{50 << std::min(times, 6)}; }
} // namespace

void workflow_instance::run_step(std::uint64_t ticket) {
  const auto found = pending_.find(ticket);
  if (found == pending_.end()) return;
  auto& step = found->second;
  step.waits = false;
  if (step.attempt.first_began == time_point{}) step.attempt.first_began = env_->clock->now();
  step.wait.due.reset();
  if (step.how != way::execute) {
    step.commit.step.has_waited = step.stored;
    send(peers_.coordinator, step.commit);
    return;
  }
  if (step.is_activity())
    call_hook([info = info(step.attempt)](lifecycle_hooks& hooks) { hooks.on_activity_start(info); });
  step.attempt.has_waited = step.stored;
  send(peers_.executors, step.attempt);
}

void workflow_instance::committed(const attempt_committed& outcome) {
  auto node = pending_.extract(outcome.ticket);
  if (!node) return;
  if (std::exchange(how_.failures, 0) > 0) send(how_.dispatcher, instance_goes_on{record_.instance_id});
  auto& step = node.mapped();
  const bool failed = is_failure(outcome.history.event_type) ||
                      outcome.history.event_type == to_string(history_event::compensation_failed);
  if (step.is_activity()) {
    if (failed)
      call_hook([info = info(step.attempt), why = outcome.history.data](lifecycle_hooks& hooks) {
        hooks.on_activity_failed(info, why);
      });
    else
      call_hook([info = info(step.attempt)](lifecycle_hooks& hooks) { hooks.on_activity_complete(info); });
  }
  if (step.attempt.kind == attempt_kind::compensation) {
    if (failed) not_undone_.push_back(outcome.history);
    to_undo_.pop_back();
    return compensate_next();
  }
  fill(*step.state, outcome.history);
  if (leaving_ != leaving::not_yet || is_cancelling()) return leave_if_nothing_is_on_the_way();
  make_choices();
  run_function();
}

/// The first that is done is chosen, and recorded before the function hears of it.
void workflow_instance::make_choices() {
  for (auto& [ticket, step] : pending_) {
    if (step.how != way::choose || !step.waits) continue;
    const auto chosen =
        std::find_if(step.choices.begin(), step.choices.end(), [](const auto& state) { return state->done; });
    if (chosen == step.choices.end()) continue;
    step.commits(history_event::choice_made, std::to_string(chosen - step.choices.begin()));
    run_step(ticket);
  }
}

void workflow_instance::attempt_has_failed(const attempt_failed& failure) {
  const auto found = pending_.find(failure.ticket);
  if (found == pending_.end()) return;
  auto& step = found->second;
  if (step.failing) { // even that it failed cannot be written
    log().error("{} of {} cannot go on: {}", step.attempt.activity_id, record_.instance_id, failure.message);
    return quit(caf::make_error(caf::sec::runtime_error, failure.message)); // the dispatcher begins anew
  }
  if (failure.fault == attempt_fault::in_doubt) {
    send(peers_.coordinator, load_history{failure.ticket, record_.instance_id});
    return;
  }
  if (leaving_ != leaving::not_yet || is_cancelling()) { // its rows are undone
    pending_.erase(found);
    return leave_if_nothing_is_on_the_way();
  }
  if (failure.fault == attempt_fault::lost) {
    log().info("{} of {} runs again, uncounted: {}", step.attempt.activity_id, record_.instance_id, failure.message);
    return wait(step, lost_pause(step.lost++));
  }
  step.lost = 0;
  if (failure.fault == attempt_fault::undecodable && step.attempt.kind == attempt_kind::compensation)
    return park(unreadable_compensation(step.attempt.activity_id, failure.message, failure_));
  const auto pause = pause_after(step, failure);
  if (!pause) return record_failure(failure.ticket, failure.message);
  if (step.is_activity())
    call_hook([info = info(step.attempt), why = failure.message, delay = *pause](lifecycle_hooks& hooks) {
      hooks.on_activity_retry(info, why, delay);
    });
  log().info("{} of {} failed in attempt {}{}, next in {} ms: {}", info(step.attempt).step, record_.instance_id,
             step.attempt.number, step.retry.is_unlimited() ? "" : " of " + std::to_string(step.retry.max_attempts()),
             pause->count(), failure.message);
  keep_error(step.attempt.errors, failure.message);
  wait_for_next_attempt(step, *pause);
}

/// Before the next attempt; nothing: there is none.
std::optional<std::chrono::milliseconds> workflow_instance::pause_after(const pending_step& step,
                                                                        const attempt_failed& failure) const {
  if (failure.fault == attempt_fault::terminal || failure.fault == attempt_fault::undecodable ||
      step.attempt.number >= step.retry.max_attempts())
    return {};
  const auto pause = failure.retry_after ? *failure.retry_after
                                         : step.retry.delay_after(step.attempt.number,
                                                                  step.retry.jitter() > 0 ? env_->entropy->next() : 0);
  const auto limit = step.retry.max_duration();
  if (limit && env_->clock->now() + pause > step.attempt.first_began + *limit) return {};
  return pause;
}

/// Whether a COMMIT was done whose answer was lost.
void workflow_instance::look_up_outcome(history_loaded& loaded) {
  const auto& attempt = pending_.at(loaded.ticket).attempt;
  const auto step = (attempt.kind == attempt_kind::compensation ? "@compensate:" : "") + attempt.activity_id;
  for (auto& outcome : loaded.history)
    if (outcome.activity_id == step) return committed({loaded.ticket, std::move(outcome)});
  attempt_has_failed({loaded.ticket, "its commit was not done", attempt_fault::lost});
}

void workflow_instance::wait(pending_step& step, std::chrono::microseconds pause) {
  step.waits = true;
  send(peers_.timekeeper, set_timer{step.attempt.ticket, pause});
}

/// Written down, so that the count and the time outlive the process.
void workflow_instance::wait_for_next_attempt(pending_step& step, std::chrono::microseconds pause) {
  auto& attempt = step.attempt;
  step.waits = true;
  step.stored = false;
  step.asked = 0;
  has_waited_ = true;
  const nlohmann::json so_far{{"attempts", attempt.number},
                              {"first_began_us", attempt.first_began.time_since_epoch().count()},
                              {"errors", attempt.errors}};
  step.wait = {info(attempt).step, attempt.position, wait_kind::retry, {}, env_->clock->now() + pause, so_far.dump()};
  ++attempt.number;
  look_for_outcomes(false);
}

/// The process that has run it before was waiting for its next attempt.
void workflow_instance::resume_wait(pending_step& step) {
  step.waits = true;
  try {
    const auto so_far = nlohmann::json::parse(step.wait.data);
    step.attempt.number = so_far.at("attempts").get<int>() + 1;
    step.attempt.first_began = time_point{std::chrono::microseconds{so_far.at("first_began_us").get<std::int64_t>()}};
    step.attempt.errors = so_far.at("errors").get<std::vector<std::string>>();
  } catch (const std::exception& e) { // changed by hand
    log().warn("what {} of {} has come to cannot be read, so its attempts are counted anew: {}", info(step.attempt).step,
               record_.instance_id, e.what());
  }
}

/// The failure is an outcome like any other: replay takes the same branch.
void workflow_instance::record_failure(std::uint64_t ticket, const std::string& message) {
  auto& step = pending_.at(ticket);
  const auto& attempt = step.attempt;
  using enum history_event;
  for (const auto decision : {choice_made, version_chosen}) // none that replay could read: the dispatcher begins anew
    if (step.commit.step.history.event_type == to_string(decision))
      return quit(caf::make_error(caf::sec::runtime_error, attempt.activity_id + " cannot be recorded: " + message));
  step.failing = true;
  const auto type = !step.commit.step.channel_actions.empty()   ? channel_failed
                    : step.how != way::execute                  ? event_failed
                    : attempt.kind == attempt_kind::activity    ? activity_failed
                    : attempt.kind == attempt_kind::transaction ? transaction_failed
                                                                : compensation_failed;
  log().warn("{} of {} failed for good in attempt {}: {}", info(attempt).step, record_.instance_id, attempt.number,
             message);
  commit_attempt commit;
  commit.ticket = ticket;
  commit.step.instance_id = record_.instance_id;
  commit.step.fence = record_.fence;
  commit.step.history = {(type == compensation_failed ? "@compensate:" : "") + attempt.activity_id,
                         attempt.position,
                         std::string{to_string(type)},
                         storable(message),
                         attempt.number,
                         step.how == way::execute ? attempt_details(attempt, env_->clock->now()) : ""};
  commit.step.compensation_done = attempt.compensation_id;
  commit.step.has_waited = step.stored;
  send(peers_.coordinator, std::move(commit));
}

} // namespace romancy
