/// What the functions of workflow_context return. Classes with constructors, never aggregates (g++ 12 destroys those
/// twice inside co_await). Each is awaited where it is made.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <romancy/activity_context.hpp>
#include <romancy/detail/ports.hpp>
#include <romancy/outcome.hpp>
#include <romancy/task.hpp>

namespace romancy::detail {

/// A step that begins when it is awaited.
template <class T>
class [[nodiscard("romancy: co_await the step, or it does not happen")]] step_awaitable : public wait_condition {
public:
  using durable = void;
  // It takes these references for operators.
  // clang-format off
  step_awaitable(instance_port& port, step_command command) : port_{&port}, command_{std::move(command)} {}
  // clang-format on
  virtual ~step_awaitable() = default;
  step_awaitable(const step_awaitable&) = delete;
  step_awaitable& operator=(const step_awaitable&) = delete;

  bool ready() override {
    if (!state_->done) return false;
    if (state_->failure || value_) return true;
    try {
      if constexpr (std::is_void_v<T>)
        value_.emplace();
      else
        value_.emplace(json::parse(state_->output).template get<T>());
      return true;
    } catch (const std::exception& e) {
      port_->undecodable(*state_, e.what());
      return false;
    }
  }
  bool await_ready() {
    state_ = port_->begin(std::move(command_));
    return ready();
  }
  void await_suspend(std::coroutine_handle<> workflow) { port_->suspend(workflow, *this); }
  T await_resume() {
    if (state_->failure) throw activity_failed{*state_->failure};
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }

protected:
  using stored = typename outcome<T>::stored;
  outcome<T> take_outcome() {
    if (state_->failure) return *state_->failure;
    return std::move(*value_);
  }

private:
  instance_port* port_;
  step_command command_;
  step_ref state_;
  std::optional<stored> value_;
};

/// try_call: a failure is a value.
template <class T>
class [[nodiscard("romancy: co_await the step, or it does not happen")]] try_awaitable : public step_awaitable<T> {
public:
  using step_awaitable<T>::step_awaitable;
  outcome<T> await_resume() { return this->take_outcome(); }
};

/// ctx.transaction: the closure is kept here, in the coroutine frame, while an executor runs it. The runtime keeps the
/// frame until the body has returned.
template <class T, class Body>
class [[nodiscard("romancy: co_await the step, or it does not happen")]] transaction_awaitable
    : public step_awaitable<T> {
public:
  // clang-format off
  transaction_awaitable(instance_port& port, Body body)
      : step_awaitable<T>{port, step_command{step_kind::transaction, "@transaction", json::array(), &run, &body_, {}}},
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

} // namespace romancy::detail
