#include "actors/workflow_function.hpp"

#include "actors/payload_text.hpp"

namespace romancy {

void workflow_function::rewind(std::vector<history_record> history, std::vector<wait_record> waits) {
  end();
  new_input_.reset();
  history_.rewind(std::move(history), std::move(waits));
}

workflow_function::place workflow_function::start() {
  const auto* workflow = env_.definitions.find_workflow(instance_.workflow);
  try {
    coroutine_ = workflow->create(*this, nlohmann::json::parse(instance_.input));
  } catch (const std::exception& e) {
    history_.refuse("today's " + instance_.workflow +
                    " cannot read the inputs this instance was started with: " + e.what());
    return place::stuck;
  }
  coroutine_->start();
  return go_on();
}

workflow_function::place workflow_function::go_on() {
  const auto unless_stuck = [&](place where) { return history_.stuck().empty() ? where : place::stuck; };
  while (history_.stuck().empty()) {
    if (coroutine_->done()) {
      history_.ended();
      return unless_stuck(place::ended);
    }
    if (new_input_) {
      history_.begun_anew();
      return unless_stuck(place::as_new);
    }
    if (!suspended_ || !condition_->ready()) break;
    condition_ = nullptr;
    std::exchange(suspended_, {}).resume();
  }
  return unless_stuck(place::waits);
}

std::string workflow_function::output() {
  return payload_text(coroutine_->result(), "the output of " + instance_.workflow, env_.options.max_payload_bytes);
}

void workflow_function::leave() {
  suspended_ = {};
  condition_ = nullptr;
}

void workflow_function::end() {
  coroutine_.reset();
  leave();
}

detail::step_ref workflow_function::begin(detail::step_command command) {
  if (!history_.stuck().empty() || new_input_) return std::make_shared<detail::step_state>();
  if (command.kind == detail::step_kind::recur) {
    begin_anew(command);
    return std::make_shared<detail::step_state>();
  }
  auto asked = history_.next(command);
  if (asked.state->done) return asked.state;
  auto step = prepare(command, asked);
  if (!history_.take(command, asked)) return asked.state;
  step.attempt.activity_id = asked.state->step; // perhaps it was begun under a former name
  if (asked.wait) {
    step.wait = std::move(*asked.wait);
    step.stored = true;
  }
  take_(std::move(step));
  return asked.state;
}

void workflow_function::suspend(std::coroutine_handle<> coroutine, detail::wait_condition& condition) {
  suspended_ = coroutine;
  condition_ = &condition;
}

void workflow_function::undecodable(const detail::step_state& state, const std::string& why) {
  history_.undecodable(state, why);
}

void workflow_function::begin_anew(const detail::step_command& command) {
  const auto* workflow = env_.definitions.find_workflow(instance_.workflow);
  nlohmann::json input;
  try {
    input = workflow->reencode(command.input);
  } catch (const std::exception& e) {
    throw payload_error{"recur gives " + instance_.workflow + " inputs that it does not take: " + e.what()};
  }
  static_cast<void>(payload_text(input, "the input of " + instance_.workflow, env_.options.max_payload_bytes));
  new_input_ = std::move(input);
}

} // namespace romancy
