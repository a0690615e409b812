#include "actors/history_cursor.hpp"

#include <algorithm>

#include "actors/event_check.hpp"

namespace romancy {

namespace {

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

/// The name of the step of a command, without its count.
std::string base_name(const detail::step_command& command) {
  if (command.kind == detail::step_kind::child) return "@child." + std::string{command.name};
  if (command.kind == detail::step_kind::version) return "@version." + command.to;
  return std::string{command.name};
}

} // namespace

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

void history_cursor::rewind(std::vector<history_record> history, std::vector<wait_record> waits) {
  history_ = std::move(history);
  waits_ = std::move(waits);
  by_position_.clear();
  for (std::size_t i = 0; i < history_.size(); ++i)
    if (history_[i].position > 0) by_position_[history_[i].position] = i;
  position_ = 0;
  versions_.clear();
  counts_.clear();
  stuck_.clear();
  now_ = instance_.run_started_at;
  random_ = random_seed(instance_);
}

history_cursor::request history_cursor::next(const detail::step_command& command) {
  request asked{std::make_shared<detail::step_state>(), position_ + 1};
  const auto name = base_name(command);
  if (command.kind == detail::step_kind::version) {
    check_name(name, "the name of a version", 128);
    const auto next = by_position_.find(position_ + 1);
    const bool recorded = next != by_position_.end() && history_[next->second].activity_id == name + ":1";
    if (!recorded && goes_past(position_)) versions_.emplace(name, 0); // by code that did not ask
    if (const auto known = versions_.find(name); known != versions_.end()) {
      asked.state->step = name + ":1";
      asked.state->output = std::to_string(known->second);
      asked.state->recorded_at = now_;
      asked.state->done = true;
      check_version(command, known->second);
      return asked;
    }
  }
  const auto count = counts_.find(name);
  asked.state->step = name + ':' + std::to_string(count == counts_.end() ? 1 : count->second + 1);
  return asked;
}

bool history_cursor::take(const detail::step_command& command, request& asked) {
  auto& state = *asked.state;
  position_ = asked.position;
  ++counts_[base_name(command)];
  if (const auto known = by_position_.find(position_); known != by_position_.end()) {
    const auto& outcome = history_[known->second];
    if (was_called(command, outcome.activity_id, state.step)) state.step = outcome.activity_id;
    if (outcome.activity_id == state.step && kind_of(outcome.event_type) == kind_name(command.kind)) {
      fill(state, outcome);
      if (command.kind == detail::step_kind::version)
        check_version(command, versions_[base_name(command)] = nlohmann::json::parse(outcome.data).get<int>());
    } else
      refuse("at position " + std::to_string(position_) + " history has " + outcome.activity_id + " (" +
             outcome.event_type + "), the workflow " + instance_.workflow + " asks for " + state.step + " (" +
             std::string{kind_name(command.kind)} + ')');
    return false;
  }
  if (const auto known =
          std::find_if(waits_.begin(), waits_.end(), [&](const wait_record& wait) { return wait.position == position_; });
      known != waits_.end()) {
    if (was_called(command, known->activity_id, state.step)) state.step = known->activity_id;
    if (known->activity_id != state.step) {
      refuse("at position " + std::to_string(position_) + " the instance waits for " + known->activity_id +
             ", the workflow " + instance_.workflow + " asks for " + state.step);
      return false;
    }
    asked.wait = std::move(*known);
    waits_.erase(known);
  } else if (!command.started && goes_past(position_)) {
    refuse("history has nothing at position " + std::to_string(position_) + " but goes on after it, the workflow " +
           instance_.workflow + " asks for " + state.step + " there");
    return false;
  }
  if (command.kind == detail::step_kind::version) versions_[base_name(command)] = command.newest;
  return true;
}

void history_cursor::begun_anew() {
  if (goes_past(position_))
    refuse("history goes on after position " + std::to_string(position_) + ", where the workflow " + instance_.workflow +
           " begins anew");
}

/// Steps that nobody waits for any more may be left without an outcome, but not with one.
void history_cursor::ended() {
  if (by_position_.empty() || by_position_.rbegin()->first <= position_) return;
  const auto& left = history_[by_position_.rbegin()->second];
  refuse("history has " + left.activity_id + " at position " + std::to_string(left.position) + ", the workflow " +
         instance_.workflow + " ended after position " + std::to_string(position_));
}

void history_cursor::undecodable(const detail::step_state& state, const std::string& why) {
  refuse("today's code cannot read the output of " + state.step + " in history: " + why);
}

std::uint64_t history_cursor::random() { // splitmix64
  auto z = random_ += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

std::optional<wait_record> history_cursor::take_wait(const std::string& activity_id) {
  const auto known = std::find_if(waits_.begin(), waits_.end(),
                                  [&](const wait_record& wait) { return wait.activity_id == activity_id; });
  if (known == waits_.end()) return std::nullopt;
  auto wait = std::move(*known);
  waits_.erase(known);
  return wait;
}

/// Steps after this position are known.
bool history_cursor::goes_past(int position) const {
  if (!by_position_.empty() && by_position_.rbegin()->first > position) return true;
  return std::any_of(waits_.begin(), waits_.end(), [&](const wait_record& wait) { return wait.position > position; });
}

void history_cursor::check_version(const detail::step_command& command, int version) {
  if (version < command.oldest || version > command.newest)
    refuse("the instance runs version " + std::to_string(version) + " of '" + command.to + "', the code has " +
           std::to_string(command.oldest) + " to " + std::to_string(command.newest));
}

/// A step under a name that it had before.
bool history_cursor::was_called(const detail::step_command& command, const std::string& before,
                                const std::string& now) const {
  const auto colon = before.rfind(':');
  if (colon == std::string::npos || before.substr(colon) != now.substr(now.rfind(':'))) return false;
  const auto name = before.substr(0, colon);
  const auto is_one_of = [&](const auto* entry, const std::string& prefix) {
    return entry && std::any_of(entry->former.begin(), entry->former.end(),
                                [&](std::string_view former) { return name == prefix + std::string{former}; });
  };
  if (command.kind == detail::step_kind::activity) return is_one_of(definitions_.find_activity(command.name), "");
  if (command.kind == detail::step_kind::child) return is_one_of(definitions_.find_workflow(command.name), "@child.");
  return false;
}

} // namespace romancy
