#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <romancy/activity.hpp>
#include <romancy/detail/arguments.hpp>
#include <romancy/detail/awaitables.hpp>

namespace romancy {

/// Given to a workflow; lists the steps it may take. All that a workflow learns about the world comes through here, and
/// what it learned is in history: on replay the same calls give the same answers without happening again.
/// Arguments are passed as the step declares them; a step with one struct may also be given the struct's members.
template <const auto&... Steps> class workflow_context {
  static_assert((detail::is_activity<detail::definition_t<Steps>> && ...),
                "romancy: the steps of a workflow_context are activities");

public:
  using steps = detail::list<detail::constant<Steps>...>;
  using dependencies = detail::join_unique_t<typename detail::definition_t<Steps>::dependencies...>;

  explicit workflow_context(detail::instance_port& port) : port_{&port} {}
  workflow_context(const workflow_context&) = delete;
  workflow_context& operator=(const workflow_context&) = delete;

  /// Runs a step; `co_await` gives its output. Throws activity_failed when it failed for good.
  template <const auto& Step, class... Args> auto call(Args&&... args) {
    return detail::step_awaitable<output_t<Step>>{*port_, command<Step>(std::forward<Args>(args)...)};
  }
  /// Runs a step; `co_await` gives an outcome: a failure is a value.
  template <const auto& Step, class... Args> auto try_call(Args&&... args) {
    return detail::try_awaitable<output_t<Step>>{*port_, command<Step>(std::forward<Args>(args)...)};
  }
  template <const auto& Step> auto call(detail::braces) { return refuse_braces<Step>(); }
  template <const auto& Step> auto try_call(detail::braces) { return refuse_braces<Step>(); }

  /// Runs `body(activity_context&)` as a durable step of its own, in one transaction, once: replay reads its result.
  /// Tried again by app_options::default_retry. Seed: "Workflow-level transactions".
  template <class Body> auto transaction(Body body) {
    static_assert(std::is_invocable_v<Body&, activity_context&>,
                  "romancy: inside a workflow the body of transaction takes romancy::activity_context&");
    static_assert(std::is_trivially_destructible_v<Body>,
                  "romancy: capture by reference, [&]: with g++ 12 other captures inside co_await are destroyed twice");
    if constexpr (std::is_invocable_v<Body&, activity_context&>) {
      using result = std::invoke_result_t<Body&, activity_context&>;
      static_assert(!detail::is_task<result>, "romancy: the body of a transaction is not a coroutine");
      static_assert(detail::check_output<result>());
      return detail::transaction_awaitable<result, Body>{*port_, std::move(body)};
    }
  }

  const std::string& instance_id() const { return port_->instance_id(); }

  template <class T = void> auto session() {
    static_assert(
        detail::always_false<T>,
        "romancy: a workflow has no session: use co_await ctx.transaction([&](romancy::activity_context& tx) {...})");
  }

  /// For send_event_transactional.
  auto send(detail::outgoing_event event) {
    return detail::step_awaitable<std::string>{
        *port_, detail::step_command{detail::step_kind::event, "@send_event", {}, nullptr, nullptr, std::move(event)}};
  }

private:
  template <const auto& Step> using output_t = typename detail::definition_t<Step>::output;

  template <const auto& Step> auto refuse_braces() {
    static_assert(
        detail::always_false<detail::constant<Step>>,
        "romancy: no braces inside co_await (g++ 12 destroys the struct twice): pass its members, or a variable");
    return detail::step_awaitable<output_t<Step>>{*port_, {}};
  }

  template <const auto& Step, class... Args> static detail::step_command command(Args&&... args) {
    static_assert(detail::contains<steps, detail::constant<Step>>,
                  "romancy: this workflow does not list the step: add it to its workflow_context<...>");
    static_assert(detail::check_temporaries<Args...>());
    return {detail::step_kind::activity,
            Step.name(),
            detail::encode_inputs(typename detail::definition_t<Step>::inputs{}, std::forward<Args>(args)...),
            nullptr,
            nullptr,
            {}};
  }

  detail::instance_port* port_;
};

} // namespace romancy
