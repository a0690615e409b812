#include "actors/workflow_instance.hpp"

#include <algorithm>

#include <romancy/received_event.hpp>

#include "actors/attempt_details.hpp"
#include "actors/event_check.hpp"
#include "actors/payload_text.hpp"
#include "actors/retry_of.hpp"

namespace romancy {

namespace {

constexpr int too_many_failures = 10;
constexpr std::uint64_t deadline_timer = 0;
/// What comes so soon is waited for in memory.
constexpr auto short_wait = std::chrono::seconds{5};

/// After an attempt that was lost through no fault of its own.
std::chrono::milliseconds lost_pause(int times) { return std::chrono::milliseconds{50 << std::min(times, 6)}; }

std::string_view kind_name(detail::step_kind kind) {
  using enum detail::step_kind;
  switch (kind) {
    case activity: return "activity";
    case transaction: return "transaction";
    case event: return "event";
    case timer: return "timer";
    case wait: return "wait";
    case child: return "child workflow";
    case channel: return "channel";
    case choice: return "choice";
    case version: return "version";
    case recur: return "recur";
  }
  return "step";
}

/// What kind of step a row of history is the outcome of; empty: a word that this code does not know.
std::string_view kind_of(const std::string& event_type) {
  using enum history_event;
  using kind = detail::step_kind;
  static const std::map<std::string_view, kind> kinds{{to_string(activity_completed), kind::activity},
                                                      {to_string(activity_failed), kind::activity},
                                                      {to_string(transaction_completed), kind::transaction},
                                                      {to_string(transaction_failed), kind::transaction},
                                                      {to_string(event_sent), kind::event},
                                                      {to_string(event_failed), kind::event},
                                                      {to_string(timer_fired), kind::timer},
                                                      {to_string(event_received), kind::wait},
                                                      {to_string(wait_timed_out), kind::wait},
                                                      {to_string(child_completed), kind::child},
                                                      {to_string(child_failed), kind::child},
                                                      {to_string(channel_changed), kind::channel},
                                                      {to_string(message_sent), kind::channel},
                                                      {to_string(channel_failed), kind::channel},
                                                      {to_string(choice_made), kind::choice},
                                                      {to_string(version_chosen), kind::version}};
  const auto found = kinds.find(event_type);
  return found == kinds.end() ? std::string_view{} : kind_name(found->second);
}

bool is_failure(const std::string& event_type) {
  using enum history_event;
  for (const auto failure : {activity_failed, transaction_failed, event_failed, child_failed, channel_failed})
    if (event_type == to_string(failure)) return true;
  return false;
}

void fill(detail::step_state& state, const history_record& outcome) {
  if (is_failure(outcome.event_type))
    state.failure = step_failure{outcome.activity_id, outcome.data, outcome.attempts};
  else
    state.output = outcome.data;
  state.timed_out = outcome.event_type == to_string(history_event::wait_timed_out);
  state.recorded_at = outcome.created_at;
  state.done = true;
}

/// The name of the step of a command, without its count.
std::string base_name(const detail::step_command& command) {
  if (command.kind == detail::step_kind::child) return "@child." + std::string{command.name};
  return std::string{command.name};
}

/// A step under a name that it had before.
bool was_called(const detail::step_command& command, const detail::definition_table& definitions,
                const std::string& before, const std::string& now) {
  const auto colon = before.rfind(':');
  if (colon == std::string::npos || before.substr(colon) != now.substr(now.rfind(':'))) return false;
  const auto name = before.substr(0, colon);
  const auto is_one_of = [&](const auto* entry, const std::string& prefix) {
    return entry && std::any_of(entry->former.begin(), entry->former.end(),
                                [&](std::string_view former) { return name == prefix + std::string{former}; });
  };
  if (command.kind == detail::step_kind::activity) return is_one_of(definitions.find_activity(command.name), "");
  if (command.kind == detail::step_kind::child) return is_one_of(definitions.find_workflow(command.name), "@child.");
  return false;
}

/// Of an instance, and of each of its runs: so that two do not draw the same numbers.
std::uint64_t seed_of(const instance_record& instance) {
  std::uint64_t hash = 14695981039346656037U; // FNV-1a
  for (const unsigned char c : run_name(instance.instance_id, instance.run) + '@' +
                                   std::to_string(instance.started_at.time_since_epoch().count()))
    hash = (hash ^ c) * 1099511628211U;
  return hash;
}

} // namespace

workflow_instance::workflow_instance(caf::actor_config& cfg, environment_ptr env, instance_peers peers,
                                     instance_record record, beginning how)
    : event_based_actor{cfg}, env_{std::move(env)}, peers_{std::move(peers)}, record_{std::move(record)}, how_{std::move(
                                                                                                              how)} {}

void workflow_instance::on_exit() {
  withdraw_attempts(stop_cause::left);
  pending_.clear();
  coroutine_.reset(); // destroyed where it is suspended; an inline transaction that still runs keeps it until it returns
  suspended_ = {};
  condition_ = nullptr;
  peers_ = {};
  how_.dispatcher = nullptr;
}

caf::behavior workflow_instance::make_behavior() {
  guard(this, "workflow_instance " + record_.instance_id);
  now_ = record_.run_started_at;
  random_ = seed_of(record_);
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
        history_ = std::move(loaded.history);
        stored_waits_ = std::move(loaded.waits);
        go_on();
      },
      [this](const attempt_committed& outcome) { committed(outcome); },
      [this](const attempt_failed& failure) { attempt_has_failed(failure); },
      [this](waited& answer) { has_waited(answer); },
      [this](const instance_news&) {
        look_again_ = true;
        if (coroutine_ || ending_) look_for_outcomes(true); // else once history is there
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
        now_ = record_.run_started_at = continued.run_started_at;
        record_.input = new_input_->dump();
        new_input_.reset();
        history_.clear();
        by_position_.clear();
        stored_waits_.clear();
        counts_.clear();
        versions_.clear();
        position_ = 0;
        random_ = seed_of(record_);
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

/// History is there.
void workflow_instance::go_on() {
  for (std::size_t i = 0; i < history_.size(); ++i)
    if (history_[i].position > 0) by_position_[history_[i].position] = i;
  look_again_ = look_again_ || !stored_waits_.empty(); // what has woken it
  if (is_cancelling() && record_.status == instance_status::running)
    return leave(leaving::cancelled); // asked for meanwhile
  if (record_.status == instance_status::compensating) {
    ending_ = true;
    has_waited_ = true;
    failure_ = record_.error;
    send(peers_.coordinator, begin_compensation{next_ticket_++, record_.instance_id, record_.fence, ""});
    return;
  }
  call_hook([info = info(), steps = static_cast<int>(by_position_.size())](lifecycle_hooks& hooks) {
    hooks.on_replay(info, steps);
  });
  start_function();
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
    if (coroutine_->done()) return function_has_ended();
    if (new_input_) {
      if (!goes_past(position_)) return leave(leaving::as_new);
      return park("history goes on after position " + std::to_string(position_) + ", where the workflow " +
                  record_.workflow + " begins anew");
    }
    if (!suspended_ || !condition_->ready()) break;
    condition_ = nullptr;
    std::exchange(suspended_, {}).resume();
  }
  if (!park_reason_.empty()) return park(park_reason_);
  look_for_outcomes(false);
}

void workflow_instance::function_has_ended() {
  if (!by_position_.empty() && by_position_.rbegin()->first > position_) {
    const auto& left = history_[by_position_.rbegin()->second];
    return park("history has " + left.activity_id + " at position " + std::to_string(left.position) + ", the workflow " +
                record_.workflow + " ended after position " + std::to_string(position_));
  }
  try {
    output_ = payload_text(coroutine_->result(), "the output of " + record_.workflow, env_->options.max_payload_bytes);
    return leave(leaving::completed);
  } catch (const std::exception& e) {
    failure_ = e.what();
  } catch (...) {
    failure_ = "it threw something that is no std::exception";
  }
  leave(leaving::failed);
}

/// Steps after this position are known.
bool workflow_instance::goes_past(int position) const {
  if (!by_position_.empty() && by_position_.rbegin()->first > position) return true;
  return std::any_of(stored_waits_.begin(), stored_waits_.end(),
                     [&](const wait_record& wait) { return wait.position > position; });
}

detail::step_ref workflow_instance::begin(detail::step_command command) {
  if (!park_reason_.empty() || new_input_) return std::make_shared<detail::step_state>();
  if (command.kind == detail::step_kind::recur) {
    const auto* workflow = env_->definitions.find_workflow(record_.workflow);
    try {
      new_input_ = workflow->reencode(command.input);
    } catch (const std::exception& e) {
      throw payload_error{"recur gives " + record_.workflow + " inputs that it does not take: " + e.what()};
    }
    static_cast<void>(payload_text(*new_input_, "the input of " + record_.workflow, env_->options.max_payload_bytes));
    return std::make_shared<detail::step_state>();
  }
  std::string version_name; // lives as long as the command
  if (command.kind == detail::step_kind::version) {
    command.name = version_name = "@version." + command.to;
    check_name(version_name, "the name of a version", 128);
    const auto next = by_position_.find(position_ + 1);
    const bool recorded = next != by_position_.end() && history_[next->second].activity_id == version_name + ":1";
    if (!recorded && goes_past(position_)) versions_.emplace(version_name, 0); // by code that did not ask
    if (const auto known = versions_.find(version_name); known != versions_.end()) {
      const auto state = std::make_shared<detail::step_state>();
      state->step = version_name + ":1";
      state->output = std::to_string(known->second);
      state->recorded_at = now_;
      state->done = true;
      check_version(command, known->second);
      return state;
    }
  }
  auto step = prepare(command);
  const auto state = step.state;
  const int position = position_ = step.attempt.position;
  ++counts_[base_name(command)];
  if (const auto known = by_position_.find(position); known != by_position_.end()) {
    const auto& outcome = history_[known->second];
    if (was_called(command, env_->definitions, outcome.activity_id, state->step)) state->step = outcome.activity_id;
    if (outcome.activity_id == state->step && kind_of(outcome.event_type) == kind_name(command.kind)) {
      fill(*state, outcome);
      if (command.kind == detail::step_kind::version)
        check_version(command, versions_[version_name] = nlohmann::json::parse(outcome.data).get<int>());
    } else
      park_reason_ = "at position " + std::to_string(position) + " history has " + outcome.activity_id + " (" +
                     outcome.event_type + "), the workflow " + record_.workflow + " asks for " + state->step + " (" +
                     std::string{kind_name(command.kind)} + ')';
    return state;
  }
  if (const auto known = std::find_if(stored_waits_.begin(), stored_waits_.end(),
                                      [&](const wait_record& wait) { return wait.position == position; });
      known != stored_waits_.end()) {
    if (was_called(command, env_->definitions, known->activity_id, state->step))
      step.attempt.activity_id = state->step = known->activity_id;
    if (known->activity_id != state->step) {
      park_reason_ = "at position " + std::to_string(position) + " the instance waits for " + known->activity_id +
                     ", the workflow " + record_.workflow + " asks for " + state->step;
      return state;
    }
    step.wait = std::move(*known);
    step.stored = true;
    stored_waits_.erase(known);
  } else if (!command.started && goes_past(position)) {
    park_reason_ = "history has nothing at position " + std::to_string(position) +
                   " but goes on after it, the workflow " + record_.workflow + " asks for " + state->step + " there";
    return state;
  }
  const auto ticket = step.attempt.ticket;
  auto& added = pending_.emplace(ticket, std::move(step)).first->second;
  if (added.how != way::wait && added.stored)
    resume_wait(added);
  else if (added.how == way::execute || added.how == way::commit)
    run_step(ticket);
  else
    added.waits = true;
  if (added.how == way::choose) make_choices();
  return state;
}

/// The step that would be next. What cannot be stored is refused here, inside the workflow function, before it has a
/// position: so it is on replay as well.
workflow_instance::pending_step workflow_instance::prepare(const detail::step_command& command) {
  pending_step step;
  step.state = std::make_shared<detail::step_state>();
  const auto name = base_name(command);
  const auto count = counts_.find(name);
  step.state->step = name + ':' + std::to_string(count == counts_.end() ? 1 : count->second + 1);
  step.attempt.ticket = next_ticket_++;
  step.attempt.instance_id = record_.instance_id;
  step.attempt.fence = record_.fence;
  step.attempt.run = record_.run;
  step.attempt.activity_id = step.state->step;
  step.attempt.position = position_ + 1;
  step.retry = env_->options.default_retry;
  using enum detail::step_kind;
  switch (command.kind) {
    case activity:
      step.attempt.entry = env_->definitions.find_activity(command.name);
      step.retry = retry_of(step.attempt.entry, env_->options);
      step.attempt.input =
          payload_text(command.input, "the input of " + step.state->step, env_->options.max_payload_bytes);
      break;
    case transaction:
      step.attempt.kind = attempt_kind::transaction;
      step.attempt.body = command.body;
      step.attempt.closure = command.closure;
      step.attempt.frame = coroutine_;
      break;
    case event: prepare_event(step, *command.event); break;
    case timer:
    case wait: prepare_wait(step, command); break;
    case child: prepare_child(step, command); break;
    case channel: prepare_channel(step, command); break;
    case choice:
      step.how = way::choose;
      step.choices = command.candidates;
      break;
    case version:
      step.how = way::commit;
      versions_[std::string{command.name}] = command.newest;
      commit_of(step, history_event::version_chosen, std::to_string(command.newest));
      break;
    case recur: break;
  }
  return step;
}

void workflow_instance::check_version(const detail::step_command& command, int version) {
  if (version < command.oldest || version > command.newest)
    park_reason_ = "the instance runs version " + std::to_string(version) + " of '" + command.to + "', the code has " +
                   std::to_string(command.oldest) + " to " + std::to_string(command.newest);
}

void workflow_instance::suspend(std::coroutine_handle<> coroutine, detail::wait_condition& condition) {
  suspended_ = coroutine;
  condition_ = &condition;
}

std::uint64_t workflow_instance::random() { // splitmix64
  auto z = random_ += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
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

/// There is nothing to do but to write this.
void workflow_instance::commit_of(pending_step& step, history_event what, std::string data) {
  step.commit.ticket = step.attempt.ticket;
  step.commit.step.instance_id = record_.instance_id;
  step.commit.step.fence = record_.fence;
  step.commit.step.history = {step.attempt.activity_id, step.attempt.position, std::string{to_string(what)},
                              std::move(data), 1};
}

/// Its id is made from instance and step: the same in every run, so that not even a run that was cut off sends another
/// one.
void workflow_instance::prepare_event(pending_step& step, const detail::outgoing_event& event) {
  auto record = checked(event, env_->options.service_name, env_->options.max_payload_bytes);
  if (record.id.empty()) record.id = run_name(record_.instance_id, record_.run) + '/' + step.attempt.activity_id;
  check_name(record.id, "the id of event '" + record.type + "'");
  record.instance_id = record_.instance_id;
  record.activity_id = step.attempt.activity_id;
  step.how = way::commit;
  commit_of(step, history_event::event_sent, nlohmann::json(record.id).dump());
  step.commit.step.events.push_back(std::move(record));
}

void workflow_instance::prepare_wait(pending_step& step, const detail::step_command& command) {
  for (const auto& channel : command.channels) check_name(channel, "a channel");
  step.how = way::wait;
  step.wait = {step.state->step,
               step.attempt.position,
               command.kind == detail::step_kind::timer ? wait_kind::timer : wait_kind::event,
               command.channels,
               {},
               {}};
  if (command.until)
    step.wait.due = *command.until;
  else if (command.within)
    step.wait.due =
        env_->clock->now() + std::min<std::chrono::microseconds>(*command.within, std::chrono::hours{24 * 36'500});
}

void workflow_instance::prepare_child(pending_step& step, const detail::step_command& command) {
  instance_record child;
  child.instance_id =
      command.child_id.empty() ? run_name(record_.instance_id, record_.run) + '/' + step.state->step : command.child_id;
  check_name(child.instance_id, "the id of a child workflow", 200);
  child.workflow = std::string{command.name};
  child.input = payload_text(command.input, "the input of " + child.workflow, env_->options.max_payload_bytes);
  child.parent_id = record_.instance_id;
  step.how = way::wait;
  step.wait = {step.state->step, step.attempt.position, wait_kind::child, {child.instance_id}, {}, {}};
  step.child = std::move(child);
}

void workflow_instance::prepare_channel(pending_step& step, const detail::step_command& command) {
  using enum detail::channel_operation;
  channel_action action;
  action.what = static_cast<channel_action::kind>(command.operation);
  action.channel = command.channels.front();
  check_name(action.channel, "the name of a channel or group");
  step.how = way::commit;
  step.retry = no_retry(); // what is refused now is refused again
  if (command.operation == publish || command.operation == send) {
    received_event message;
    message.id = run_name(record_.instance_id, record_.run) + '/' + step.state->step;
    message.source = record_.instance_id;
    message.type = action.channel;
    message.data = command.input;
    action.message = payload_text(message, "the message to '" + action.channel + '\'', env_->options.max_payload_bytes);
    action.to = command.to;
    if (command.operation == send) check_name(action.to, "the id of the instance a message is for", 200);
    commit_of(step, history_event::message_sent, nlohmann::json(message.id).dump());
  } else {
    has_waited_ = true;
    commit_of(step, history_event::channel_changed, "null");
  }
  step.commit.step.channel_actions.push_back(std::move(action));
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
    commit_of(step, history_event::choice_made, std::to_string(chosen - step.choices.begin()));
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

// -- waiting ------------------------------------------------------------------------------------------------------------

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

// -- the end ----------------------------------------------------------------------------------------------------------

void workflow_instance::cancel(const std::string& reason) {
  if (leaving_ == leaving::as_new) cancelled_meanwhile_ = reason; // of the next run
  if (ending_ || is_cancelling()) return;
  log().info("instance {} is cancelled: {}", record_.instance_id, reason);
  record_.cancel_reason = reason;
  if (!coroutine_) return; // history is on its way
  leave(leaving::cancelled);
}

/// What is on the way ends first: an attempt that commits is undone like the others, or is part of what is complete.
void workflow_instance::leave(leaving how) {
  leaving_ = how;
  suspended_ = {};
  condition_ = nullptr;
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
      coroutine_.reset();
      send(peers_.coordinator,
           continue_as_new{next_ticket_++, record_.instance_id, record_.fence, record_.run, new_input_->dump()});
  }
}

void workflow_instance::fail(const std::string& why) {
  ending_ = true;
  leaving_ = leaving::not_yet; // attempts to undo are tried again
  has_waited_ = true;
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
  step.attempt.run = record_.run;
  const auto known = std::find_if(stored_waits_.begin(), stored_waits_.end(), [&](const wait_record& wait) {
    return wait.activity_id == "@compensate:" + undo.activity_id;
  });
  if (known == stored_waits_.end()) return run_step(ticket);
  step.wait = std::move(*known);
  step.stored = true;
  stored_waits_.erase(known);
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
  suspended_ = {};
  condition_ = nullptr;
  coroutine_.reset();
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

void workflow_instance::call_hook(std::function<void(lifecycle_hooks&)> call) {
  if (env_->options.hooks) send(peers_.callbacks, fire_hook{std::move(call)});
}

activity_info workflow_instance::info(const execute_attempt& attempt) const {
  return {record_.instance_id, (attempt.kind == attempt_kind::compensation ? "@compensate:" : "") + attempt.activity_id,
          attempt.number};
}

} // namespace romancy
