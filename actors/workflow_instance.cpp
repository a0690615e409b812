#include "actors/workflow_instance.hpp"

#include <algorithm>

#include "actors/attempt_details.hpp"
#include "actors/event_check.hpp"
#include "actors/payload_text.hpp"
#include "actors/retry_of.hpp"

namespace romancy {

namespace {

constexpr int too_many_failures = 10;

/// After an attempt that was lost through no fault of its own.
std::chrono::milliseconds lost_pause(int times) { return std::chrono::milliseconds{50 << std::min(times, 6)}; }

std::string_view kind_name(detail::step_kind kind) {
  switch (kind) {
    case detail::step_kind::activity: return "activity";
    case detail::step_kind::transaction: return "transaction";
    case detail::step_kind::event: return "event";
  }
  return "step";
}

/// What kind of step a row of history is the outcome of; empty: a word that this code does not know.
std::string_view kind_of(const std::string& event_type) {
  using enum history_event;
  if (event_type == to_string(activity_completed) || event_type == to_string(activity_failed)) return "activity";
  if (event_type == to_string(transaction_completed) || event_type == to_string(transaction_failed)) return "transaction";
  if (event_type == to_string(event_sent) || event_type == to_string(event_failed)) return "event";
  return {};
}

bool is_failure(const std::string& event_type) {
  using enum history_event;
  return event_type == to_string(activity_failed) || event_type == to_string(transaction_failed) ||
         event_type == to_string(event_failed);
}

void fill(detail::step_state& state, const history_record& outcome) {
  if (is_failure(outcome.event_type))
    state.failure = step_failure{outcome.activity_id, outcome.data, outcome.attempts};
  else
    state.output = outcome.data;
  state.done = true;
}

} // namespace

workflow_instance::workflow_instance(caf::actor_config& cfg, environment_ptr env, instance_peers peers,
                                     instance_record record, beginning how)
    : event_based_actor{cfg}, env_{std::move(env)}, peers_{std::move(peers)}, record_{std::move(record)}, how_{std::move(
                                                                                                              how)} {}

void workflow_instance::on_exit() {
  for (const auto& [ticket, step] : pending_) // what has not begun does not begin for nobody, and what runs may stop
    if (step.executes && !step.waits) tell_as(caf::strong_actor_ptr{ctrl()}, peers_.executors, withdraw_attempt{ticket});
  pending_.clear();
  coroutine_.reset(); // destroyed where it is suspended; an inline transaction that still runs keeps it until it returns
  suspended_ = {};
  condition_ = nullptr;
  peers_ = {};
  how_.dispatcher = nullptr;
}

caf::behavior workflow_instance::make_behavior() {
  guard(this, "workflow_instance " + record_.instance_id);
  if (is_cancelling() && record_.status == instance_status::running) {
    fail("cancelled: " + record_.cancel_reason);
  } else if (how_.failures >= too_many_failures) {
    park("it could not go on, " + std::to_string(how_.failures) + " times one after another: " + how_.reason);
  } else if (how_.fresh) {
    call_hook([info = info()](lifecycle_hooks& hooks) { hooks.on_workflow_start(info); });
    start_function();
  } else {
    send(peers_.coordinator, load_history{next_ticket_++, record_.instance_id});
  }
  return {
      [this](history_loaded& loaded) {
        if (pending_.contains(loaded.ticket)) return look_up_outcome(loaded);
        history_ = std::move(loaded.history);
        for (std::size_t i = 0; i < history_.size(); ++i)
          if (history_[i].position > 0) by_position_[history_[i].position] = i;
        if (is_cancelling() && record_.status == instance_status::running) { // asked for meanwhile
          end_if_cancelled();
        } else if (record_.status == instance_status::compensating) {
          ending_ = true;
          failure_ = record_.error;
          send(peers_.coordinator, begin_compensation{next_ticket_++, record_.instance_id, record_.fence, ""});
        } else {
          call_hook([info = info(), steps = static_cast<int>(by_position_.size())](lifecycle_hooks& hooks) {
            hooks.on_replay(info, steps);
          });
          start_function();
        }
      },
      [this](const attempt_committed& outcome) { committed(outcome); },
      [this](const attempt_failed& failure) { attempt_has_failed(failure); },
      [this](const timer_fired& timer) { run_step(timer.ticket); },
      [this](const cancel_request& request) { cancel(request.reason); },
      [this](compensation_begun& begun) {
        record_.cancel_reason = std::move(begun.cancel_reason); // perhaps it was asked for just before
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

void workflow_instance::start_function() {
  const auto* workflow = env_->definitions.find_workflow(record_.workflow);
  try {
    coroutine_ = workflow->create(*this, nlohmann::json::parse(record_.input));
  } catch (const std::exception& e) {
    return park("today's " + record_.workflow + " cannot read the inputs this instance was started with: " + e.what());
  }
  coroutine_->start();
  run_function();
}

void workflow_instance::run_function() {
  while (park_reason_.empty()) {
    if (coroutine_->done()) return finish_function();
    if (!suspended_ || !condition_->ready()) break;
    condition_ = nullptr;
    std::exchange(suspended_, {}).resume();
  }
  if (!park_reason_.empty()) park(park_reason_);
}

void workflow_instance::finish_function() {
  if (!by_position_.empty() && by_position_.rbegin()->first > position_) {
    const auto& left = history_[by_position_.rbegin()->second];
    return park("history has " + left.activity_id + " at position " + std::to_string(left.position) + ", the workflow " +
                record_.workflow + " ended after position " + std::to_string(position_));
  }
  std::string output;
  try {
    output = payload_text(coroutine_->result(), "the output of " + record_.workflow, env_->options.max_payload_bytes);
  } catch (const std::exception& e) {
    return fail(e.what());
  } catch (...) {
    return fail("it threw something that is no std::exception");
  }
  settle(instance_status::completed, std::move(output), "");
}

detail::step_ref workflow_instance::begin(detail::step_command command) {
  if (!park_reason_.empty()) return std::make_shared<detail::step_state>();
  auto step = prepare(command);
  const auto state = step.state;
  const int position = position_ = step.attempt.position;
  ++counts_[std::string{command.name}];
  if (const auto known = by_position_.find(position); known != by_position_.end()) {
    const auto& outcome = history_[known->second];
    if (outcome.activity_id == state->step && kind_of(outcome.event_type) == kind_name(command.kind))
      fill(*state, outcome);
    else
      park_reason_ = "at position " + std::to_string(position) + " history has " + outcome.activity_id + " (" +
                     outcome.event_type + "), the workflow " + record_.workflow + " asks for " + state->step + " (" +
                     std::string{kind_name(command.kind)} + ')';
    return state;
  }
  if (!by_position_.empty() && by_position_.rbegin()->first > position) {
    park_reason_ = "history has nothing at position " + std::to_string(position) +
                   " but goes on after it, the workflow " + record_.workflow + " asks for " + state->step + " there";
    return state;
  }
  const auto ticket = step.attempt.ticket;
  pending_.emplace(ticket, std::move(step));
  run_step(ticket);
  return state;
}

/// The step that would be next. What cannot be stored is refused here, inside the workflow function, before it has a
/// position: so it is on replay as well.
workflow_instance::pending_step workflow_instance::prepare(const detail::step_command& command) {
  pending_step step;
  step.state = std::make_shared<detail::step_state>();
  const auto count = counts_.find(std::string{command.name});
  step.state->step = std::string{command.name} + ':' + std::to_string(count == counts_.end() ? 1 : count->second + 1);
  step.attempt.ticket = next_ticket_++;
  step.attempt.instance_id = record_.instance_id;
  step.attempt.fence = record_.fence;
  step.attempt.activity_id = step.state->step;
  step.attempt.position = position_ + 1;
  switch (command.kind) {
    case detail::step_kind::activity:
      step.attempt.entry = env_->definitions.find_activity(command.name);
      step.attempt.input =
          payload_text(command.input, "the input of " + step.state->step, env_->options.max_payload_bytes);
      break;
    case detail::step_kind::transaction:
      step.attempt.kind = attempt_kind::transaction;
      step.attempt.body = command.body;
      step.attempt.closure = command.closure;
      step.attempt.frame = coroutine_;
      break;
    case detail::step_kind::event: prepare_event(step, *command.event); break;
  }
  step.retry = retry_of(step.attempt.entry, env_->options);
  return step;
}

void workflow_instance::suspend(std::coroutine_handle<> coroutine, detail::wait_condition& condition) {
  suspended_ = coroutine;
  condition_ = &condition;
}

void workflow_instance::undecodable(const detail::step_state& state, const std::string& why) {
  if (park_reason_.empty()) park_reason_ = "today's code cannot read the output of " + state.step + " in history: " + why;
}

// -- steps ------------------------------------------------------------------------------------------------------------

void workflow_instance::run_step(std::uint64_t ticket) {
  const auto found = pending_.find(ticket);
  if (found == pending_.end()) return;
  auto& step = found->second;
  step.waits = false;
  if (step.attempt.first_began == time_point{}) step.attempt.first_began = env_->clock->now();
  if (!step.executes) {
    send(peers_.coordinator, step.event);
    return;
  }
  if (step.is_activity())
    call_hook([info = info(step.attempt)](lifecycle_hooks& hooks) { hooks.on_activity_start(info); });
  send(peers_.executors, step.attempt);
}

/// Its id is made from instance and step: the same in every run, so that not even a run that was cut off sends another
/// one.
void workflow_instance::prepare_event(pending_step& step, const detail::outgoing_event& event) {
  auto record = checked(event, env_->options.service_name, env_->options.max_payload_bytes);
  if (record.id.empty()) record.id = record_.instance_id + '/' + step.attempt.activity_id;
  check_name(record.id, "the id of event '" + record.type + "'");
  record.instance_id = record_.instance_id;
  record.activity_id = step.attempt.activity_id;
  step.executes = false;
  step.event.ticket = step.attempt.ticket;
  step.event.step.instance_id = record_.instance_id;
  step.event.step.fence = record_.fence;
  step.event.step.history = {step.attempt.activity_id, step.attempt.position,
                             std::string{to_string(history_event::event_sent)}, nlohmann::json(record.id).dump(), 1};
  step.event.step.events.push_back(std::move(record));
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
    if (failed) history_.push_back(outcome.history);
    to_undo_.pop_back();
    return compensate_next();
  }
  fill(*step.state, outcome.history);
  if (is_cancelling()) return end_if_cancelled();
  run_function();
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
  if (is_cancelling()) { // its rows are undone
    pending_.erase(found);
    return end_if_cancelled();
  }
  if (failure.fault == attempt_fault::lost) {
    log().info("{} of {} runs again, uncounted: {}", step.attempt.activity_id, record_.instance_id, failure.message);
    return wait(step, lost_pause(step.lost++));
  }
  step.lost = 0;
  if (failure.fault == attempt_fault::undecodable && step.attempt.kind == attempt_kind::compensation)
    return park("today's code cannot read what is to be undone of " + step.attempt.activity_id + ": " + failure.message +
                ": let the compensation accept it. The workflow had failed: " + failure_);
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
  ++step.attempt.number;
  wait(step, *pause);
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

/// The failure is an outcome like any other: replay takes the same branch.
void workflow_instance::record_failure(std::uint64_t ticket, const std::string& message) {
  auto& step = pending_.at(ticket);
  const auto& attempt = step.attempt;
  step.failing = true;
  using enum history_event;
  const auto type = !step.executes                              ? event_failed
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
                         step.executes ? attempt_details(attempt, env_->clock->now()) : ""};
  commit.step.compensation_done = attempt.compensation_id;
  send(peers_.coordinator, std::move(commit));
}

// -- the end ----------------------------------------------------------------------------------------------------------

void workflow_instance::cancel(const std::string& reason) {
  if (ending_ || is_cancelling()) return;
  log().info("instance {} is cancelled: {}", record_.instance_id, reason);
  record_.cancel_reason = reason;
  if (!coroutine_) return; // history is on its way
  for (const auto& [ticket, step] : pending_)
    if (step.executes && !step.waits) send(peers_.executors, withdraw_attempt{ticket, stop_cause::cancelled});
  end_if_cancelled();
}

/// What is on the way ends first: an attempt that commits is undone like the others.
void workflow_instance::end_if_cancelled() {
  for (const auto& [ticket, step] : pending_)
    if (!step.waits) return;
  pending_.clear();
  suspended_ = {};
  condition_ = nullptr;
  fail("cancelled: " + record_.cancel_reason);
}

void workflow_instance::fail(const std::string& why) {
  ending_ = true;
  failure_ = why.empty() ? "it failed without a word" : storable(why);
  coroutine_.reset();
  send(peers_.coordinator, begin_compensation{next_ticket_++, record_.instance_id, record_.fence, failure_});
}

void workflow_instance::compensate_next() {
  if (to_undo_.empty()) {
    const bool cancelled = !record_.cancel_reason.empty();
    auto error = cancelled ? record_.cancel_reason : failure_;
    for (const auto& outcome : history_)
      if (outcome.event_type == to_string(history_event::compensation_failed))
        error += "; not undone: " + outcome.activity_id.substr(std::string_view{"@compensate:"}.size()) + " (" +
                 outcome.data + ')';
    return settle(cancelled ? instance_status::cancelled : instance_status::failed, "", std::move(error));
  }
  const auto& undo = to_undo_.back();
  const auto* entry = env_->definitions.find_activity(undo.activity_name);
  if (!entry || !entry->undo)
    return park("history wants to undo " + undo.activity_id + ", but the code has no compensation for an activity '" +
                undo.activity_name + "': add it again. The workflow had failed: " + failure_);
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
  run_step(ticket);
}

void workflow_instance::park(const std::string& why) {
  log().error("instance {} is parked: {}", record_.instance_id, why);
  settle(instance_status::parked, "", why);
}

void workflow_instance::settle(instance_status status, std::string output, std::string error) {
  ending_ = true;
  pending_.clear();
  suspended_ = {};
  condition_ = nullptr;
  coroutine_.reset();
  result_ = record_;
  result_.status = status;
  result_.output = std::move(output);
  result_.error = storable(std::move(error));
  send(peers_.coordinator,
       finish_instance{next_ticket_++, record_.instance_id, record_.fence, status, result_.output, result_.error});
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

void workflow_instance::call_hook(std::function<void(lifecycle_hooks&)> call) {
  if (env_->options.hooks) send(peers_.callbacks, fire_hook{std::move(call)});
}

activity_info workflow_instance::info(const execute_attempt& attempt) const {
  return {record_.instance_id, (attempt.kind == attempt_kind::compensation ? "@compensate:" : "") + attempt.activity_id,
          attempt.number};
}

} // namespace romancy
