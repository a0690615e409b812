#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <romancy/detail/payload.hpp>

namespace romancy {

namespace detail {

template <class A>
concept durable_awaitable = is_task<std::remove_cvref_t<A>> || requires {
  typename std::remove_cvref_t<A>::durable;
};

/// What await_transform returns: a small value. g++ 12 moves or copies an awaitable that is returned by reference.
template <class Awaitable> struct awaiter_ref {
  Awaitable& awaitable;
  bool await_ready() { return awaitable.await_ready(); }
  auto await_suspend(std::coroutine_handle<> waiting) { return awaitable.await_suspend(waiting); }
  decltype(auto) await_resume() { return awaitable.await_resume(); }
};

class task_promise_base {
public:
  std::suspend_always initial_suspend() noexcept { return {}; }

  struct resume_parent {
    bool await_ready() noexcept { return false; }
    template <class Promise> std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      return self.promise().parent ? self.promise().parent : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  resume_parent final_suspend() noexcept { return {}; }

  /// Only what is recorded may be waited for: anything else would differ on replay.
  template <class Awaitable> auto await_transform(Awaitable&& awaitable) noexcept {
    static_assert(durable_awaitable<Awaitable>,
                  "romancy: a workflow waits only for durable steps and tasks: move other work into an activity");
    return awaiter_ref<std::remove_reference_t<Awaitable>>{awaitable};
  }
  void unhandled_exception() noexcept { error_ = std::current_exception(); }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

  std::coroutine_handle<> parent; ///< null unless someone is suspended on this task

private:
  std::exception_ptr error_;
};

template <class T> class task_promise : public task_promise_base {
public:
  task<T> get_return_object() noexcept;
  void return_value(T value) { value_.emplace(std::move(value)); } // by value, so that co_return {a, b} compiles
  T take() {
    rethrow();
    return std::move(*value_);
  }

private:
  std::optional<T> value_;
};
template <> class task_promise<void> : public task_promise_base {
public:
  task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void take() { rethrow(); }
};

} // namespace detail

/// The return type of workflow functions and of the coroutines they are made of. Nothing runs before it is awaited;
/// destroying it while suspended destroys all it was waiting in. Awaited once.
template <class T = void> class [[nodiscard("romancy: co_await the task, or nothing runs")]] task {
public:
  using promise_type = detail::task_promise<T>;

  explicit task(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_{coroutine} {}
  task(task && other) noexcept : coroutine_{std::exchange(other.coroutine_, {})} {}
  task& operator=(task&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~task() {
    if (coroutine_) coroutine_.destroy();
  }

  bool await_ready() const noexcept { return coroutine_.done(); }
  /// Runs the child here and goes on at once if it did not suspend, as on replay. Symmetric transfer is used only from
  /// the end of a child that did: with g++ it is no tail call at -O0, -O1 or under ASan, and a loop would eat the stack.
  bool await_suspend(std::coroutine_handle<> parent) noexcept {
    coroutine_.resume();
    if (coroutine_.done()) return false;
    coroutine_.promise().parent = parent;
    return true;
  }
  T await_resume() { return coroutine_.promise().take(); }

  // For the runtime, which starts the outermost task and reads it.
  void start() { coroutine_.resume(); }
  bool done() const noexcept { return coroutine_.done(); }
  T result() { return coroutine_.promise().take(); }

private:
  std::coroutine_handle<promise_type> coroutine_;
};

template <class T> task<T> detail::task_promise<T>::get_return_object() noexcept {
  return task<T>{std::coroutine_handle<task_promise>::from_promise(*this)};
}
inline task<void> detail::task_promise<void>::get_return_object() noexcept {
  return task<void>{std::coroutine_handle<task_promise>::from_promise(*this)};
}

} // namespace romancy
