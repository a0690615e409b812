#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include <romancy/error.hpp>

namespace romancy {

/// An output or the failure that stands for it: what `co_await ctx.try_call<step>(…)` gives. Exists because C++ has no
/// co_await inside a handler, so a workflow that goes on after a failure needs the failure as a value.
template <class T> class [[nodiscard("romancy: look at the outcome, or use call, which throws")]] outcome {
public:
  using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
  outcome(stored value) : state_{std::in_place_index<0>, std::move(value)} {}
  outcome(step_failure failure) : state_{std::in_place_index<1>, std::move(failure)} {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  /// The output. @throws activity_failed when there is none.
  const stored& value() const {
    if (!has_value()) throw activity_failed{failure()};
    return std::get<0>(state_);
  }
  const stored& operator*() const { return value(); }
  const stored* operator->() const { return &value(); }
  /// @pre !has_value()
  const step_failure& failure() const { return std::get<1>(state_); }

private:
  std::variant<stored, step_failure> state_;
};

} // namespace romancy
