/// What the functions of workflow_context return. Classes with constructors, never aggregates (g++ 12 destroys those
/// twice inside co_await). Each is awaited where it is made, but for started steps.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <romancy/activity_context.hpp>
#include <romancy/detail/ports.hpp>
#include <romancy/outcome.hpp>
#include <romancy/received_event.hpp>
#include <romancy/task.hpp>
#include <romancy/typed_event.hpp>

namespace romancy::detail {

/// How the outcome of a step becomes a value.
template <class T> struct output_reader {
  using value = T;
  static constexpr bool stored_by_others = false;
  static T read(const step_state& state) {
    if constexpr (!std::is_void_v<T>) return json::parse(state.output).template get<T>();
  }
};
/// The data of an event, or the whole of it; of a typed event whatever its type. With `Optional` a timeout is no value.
template <class T, bool Optional> struct event_reader {
  using value = std::conditional_t<Optional, std::optional<T>, T>;
  static constexpr bool stored_by_others = true;
  static value read(const step_state& state) {
    if constexpr (Optional)
      if (state.timed_out) return std::nullopt;
    auto event = json::parse(state.output).template get<received_event>();
    if constexpr (std::is_same_v<T, received_event>)
      return event;
    else
      return event.data.template get<T>();
  }
};
/// One of several typed events.
template <bool Optional, class... Events> struct variant_reader {
  using one_of = std::variant<Events...>;
  using value = std::conditional_t<Optional, std::optional<one_of>, one_of>;
  static constexpr bool stored_by_others = true;
  static value read(const step_state& state) {
    if constexpr (Optional)
      if (state.timed_out) return std::nullopt;
    const auto event = json::parse(state.output).template get<received_event>();
    std::optional<one_of> found;
    const auto read_as = [&]<class Event>(std::type_identity<Event>) {
      if (!found && event.type == Event::event_type)
        found.emplace(std::in_place_type<Event>, event.data.template get<Event>());
    };
    (read_as(std::type_identity<Events>{}), ...);
    if (!found) throw error{"an event of type '" + event.type + "' was not waited for"};
    return *std::move(found);
  }
};

/// A step that has begun, and what it has come to.
template <class Reader> class step_result : public wait_condition {
public:
  using value = typename Reader::value;
  using stored = typename outcome<value>::stored;

  step_result(instance_port& port, step_ref state) : port_{&port}, state_{std::move(state)} {}
  virtual ~step_result() = default;
  step_result(const step_result&) = delete;
  step_result& operator=(const step_result&) = delete;

  bool ready() override {
    if (!state_->done) return false;
    if (state_->failure || value_ || unfit_) return true;
    try {
      if constexpr (std::is_void_v<value>)
        value_.emplace();
      else
        value_.emplace(Reader::read(*state_));
    } catch (const std::exception& e) {
      if (!Reader::stored_by_others) {
        port_->undecodable(*state_, e.what());
        return false;
      }
      unfit_ = step_failure{state_->step, std::string{"what was received does not fit: "} + e.what(), 1};
    }
    return true;
  }
  /// @pre ready(). @throws activity_failed
  value get() {
    port_->seen(*state_);
    if (const auto* failed = failure()) throw activity_failed{*failed};
    if constexpr (!std::is_void_v<value>) return std::move(*value_);
  }
  outcome<value> get_outcome() {
    port_->seen(*state_);
    if (const auto* failed = failure()) return *failed;
    return std::move(*value_);
  }
  const step_ref& state() const { return state_; }

protected:
  explicit step_result(instance_port& port) : port_{&port} {}
  const step_failure* failure() const { return state_->failure ? &*state_->failure : unfit_ ? &*unfit_ : nullptr; }

  instance_port* port_;
  step_ref state_;

private:
  std::optional<stored> value_;
  std::optional<step_failure> unfit_;
};

/// A step that begins when it is awaited.
template <class Reader>
class [[nodiscard("romancy: co_await the step, or it does not happen")]] step_awaitable : public step_result<Reader> {
public:
  using durable = void;
  // It takes these references for operators.
  // clang-format off
  step_awaitable(instance_port& port, step_command command) : step_result<Reader>{port}, command_{std::move(command)} {}
  // clang-format on

  bool await_ready() {
    this->state_ = this->port_->begin(std::move(command_));
    return this->ready();
  }
  void await_suspend(std::coroutine_handle<> workflow) { this->port_->suspend(workflow, *this); }
  typename Reader::value await_resume() { return this->get(); }

private:
  step_command command_;
};

/// try_call: a failure is a value.
template <class T>
class [[nodiscard("romancy: co_await the step, or it does not happen")]] try_awaitable
    : public step_awaitable<output_reader<T>> {
public:
  using step_awaitable<output_reader<T>>::step_awaitable;
  outcome<T> await_resume() { return this->get_outcome(); }
};

/// ctx.transaction: the closure is kept here, in the coroutine frame, while an executor runs it. The runtime keeps the
/// frame until the body has returned.
template <class T, class Body>
class [[nodiscard("romancy: co_await the step, or it does not happen")]] transaction_awaitable
    : public step_awaitable<output_reader<T>> {
public:
  // clang-format off
  transaction_awaitable(instance_port& port, Body body)
      : step_awaitable<output_reader<T>>{port, step_command{step_kind::transaction, "@transaction", json::array(), &run, &body_, {}}},
        body_{std::move(body)} {}
  // clang-format on

private:
  static json run(void* closure, activity_port& port) {
    activity_context ctx{port};
    auto& body = *static_cast<Body*>(closure);
    if constexpr (std::is_void_v<T>) {
      body(ctx);
      return nullptr;
    } else {
      return encode<T>(body(ctx));
    }
  }
  Body body_;
};

/// ctx.recur: nothing comes back.
class [[nodiscard("romancy: co_await recur, or it does not happen")]] recur_awaitable final : public wait_condition {
public:
  using durable = void;
  struct never {
    template <class T> operator T() const { std::terminate(); }
  };
  // clang-format off
  recur_awaitable(instance_port& port, step_command command) : port_{&port}, command_{std::move(command)} {}
  // clang-format on
  bool ready() override { return false; }
  bool await_ready() {
    static_cast<void>(port_->begin(std::move(command_)));
    return false;
  }
  void await_suspend(std::coroutine_handle<> workflow) { port_->suspend(workflow, *this); }
  never await_resume() { return {}; }

private:
  instance_port* port_;
  step_command command_;
};

} // namespace romancy::detail

namespace romancy {

/// A step that was begun by `ctx.start…` and goes on by itself: `co_await` it, or give it to `ctx.all` and `ctx.any`. A
/// variable of the workflow function; not copied, not moved. Its value can be taken once.
///
/// When the function returns before the step has ended, an attempt that runs is let end, and nothing is begun any more.
template <class Reader>
class [[nodiscard("romancy: keep the started step, to wait for it")]] started_step : public detail::step_result<Reader> {
public:
  using durable = void;
  started_step(detail::instance_port & port, detail::step_command command)
      : detail::step_result<Reader>{port, port.begin(std::move(command))} {}

  bool await_ready() { return this->ready(); }
  void await_suspend(std::coroutine_handle<> workflow) { this->port_->suspend(workflow, *this); }
  typename Reader::value await_resume() { return this->get(); }
};
/// A started activity or child workflow with the output T.
template <class T> using started = started_step<detail::output_reader<T>>;

namespace detail {

template <class T> inline constexpr bool is_started = false;
template <class R> inline constexpr bool is_started<started_step<R>> = true;

/// Gives a value to tuple and vector where there is none.
template <class Reader> auto take(started_step<Reader>& step) {
  if constexpr (std::is_void_v<typename Reader::value>) {
    step.get();
    return std::monostate{};
  } else {
    return step.get();
  }
}

/// ctx.all: done when all are. A failure is thrown then, that of the first in order.
template <class... Steps>
class [[nodiscard("romancy: co_await all, or nobody waits")]] all_awaitable final : public wait_condition {
public:
  using durable = void;
  all_awaitable(instance_port & port, Steps & ... steps) : port_{&port}, steps_{&steps...} {}
  bool ready() override {
    bool all = true;
    std::apply([&](auto*... step) { ((all = step->ready() && all), ...); }, steps_); // each decodes what it has
    return all;
  }
  bool await_ready() { return ready(); }
  void await_suspend(std::coroutine_handle<> workflow) { port_->suspend(workflow, *this); }
  auto await_resume() {
    return std::apply([](auto*... step) { return std::tuple{take(*step)...}; }, steps_);
  }

private:
  instance_port* port_;
  std::tuple<Steps*...> steps_;
};

} // namespace detail
} // namespace romancy
