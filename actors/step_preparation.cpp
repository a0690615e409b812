// What each kind of step becomes.
#include <algorithm>

#include <romancy/received_event.hpp>

#include "actors/event_check.hpp"
#include "actors/payload_text.hpp"
#include "actors/retry_of.hpp"
#include "actors/workflow_function.hpp"

namespace romancy {

using way = pending_step::way;

pending_step workflow_function::prepare(const detail::step_command& command, const history_cursor::request& asked) const {
  pending_step step;
  step.state = asked.state;
  step.attempt.instance_id = instance_.instance_id;
  step.attempt.fence = instance_.fence;
  step.attempt.run = instance_.run;
  step.attempt.activity_id = asked.state->step;
  step.attempt.position = asked.position;
  step.retry = env_.options.default_retry;
  using enum detail::step_kind;
  switch (command.kind) {
    case activity:
      step.attempt.entry = env_.definitions.find_activity(command.name);
      step.retry = retry_of(step.attempt.entry, env_.options);
      step.attempt.input =
          payload_text(command.input, "the input of " + step.state->step, env_.options.max_payload_bytes);
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
    case version: step.commits(history_event::version_chosen, std::to_string(command.newest)); break;
    case recur: break;
  }
  return step;
}

/// Its id is made from instance and step: the same in every run, so that not even a run that was cut off sends another
/// one.
void workflow_function::prepare_event(pending_step& step, const detail::outgoing_event& event) const {
  auto record = checked(event, env_.options.service_name, env_.options.max_payload_bytes);
  if (record.id.empty()) record.id = run_name() + '/' + step.attempt.activity_id;
  check_name(record.id, "the id of event '" + record.type + "'");
  record.instance_id = instance_.instance_id;
  record.activity_id = step.attempt.activity_id;
  step.commits(history_event::event_sent, nlohmann::json(record.id).dump());
  step.commit.step.events.push_back(std::move(record));
}

void workflow_function::prepare_wait(pending_step& step, const detail::step_command& command) const {
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
        env_.clock->now() + std::min<std::chrono::microseconds>(*command.within, std::chrono::hours{24 * 36'500});
}

void workflow_function::prepare_child(pending_step& step, const detail::step_command& command) const {
  instance_record child;
  child.instance_id = command.child_id.empty() ? run_name() + '/' + step.state->step : command.child_id;
  check_name(child.instance_id, "the id of a child workflow", 200);
  child.workflow = std::string{command.name};
  child.input = payload_text(command.input, "the input of " + child.workflow, env_.options.max_payload_bytes);
  child.parent_id = instance_.instance_id;
  step.how = way::wait;
  step.wait = {step.state->step, step.attempt.position, wait_kind::child, {child.instance_id}, {}, {}};
  step.child = std::move(child);
}

void workflow_function::prepare_channel(pending_step& step, const detail::step_command& command) const {
  using enum detail::channel_operation;
  channel_action action;
  action.what = static_cast<channel_action::kind>(command.operation);
  action.channel = command.channels.front();
  check_name(action.channel, "the name of a channel or group");
  step.retry = no_retry(); // what is refused now is refused again
  if (command.operation == publish || command.operation == send) {
    received_event message;
    message.id = run_name() + '/' + step.state->step;
    message.source = instance_.instance_id;
    message.type = action.channel;
    message.data = command.input;
    action.message = payload_text(message, "the message to '" + action.channel + '\'', env_.options.max_payload_bytes);
    action.to = command.to;
    if (command.operation == send) check_name(action.to, "the id of the instance a message is for", 200);
    step.commits(history_event::message_sent, nlohmann::json(message.id).dump());
  } else {
    step.commits(history_event::channel_changed, "null");
  }
  step.commit.step.channel_actions.push_back(std::move(action));
}

} // namespace romancy
