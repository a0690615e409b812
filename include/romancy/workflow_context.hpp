#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <romancy/activity.hpp>
#include <romancy/detail/arguments.hpp>
#include <romancy/detail/awaitables.hpp>
#include <romancy/detail/uuid.hpp>
#include <romancy/instance_id.hpp>

namespace romancy {

template <class Signature> class workflow;

/// Who of those that subscribe to a channel gets a message: all of them, or the first to take it. The same for all
/// instances that subscribe to one channel at the same time.
enum class channel_mode { broadcast, competing };

namespace detail {
template <class D> inline constexpr bool is_workflow = false;
template <class S> inline constexpr bool is_workflow<workflow<S>> = true;

template <class D> struct dependencies_of { using type = typename D::dependencies; };
template <class S> struct dependencies_of<workflow<S>> { using type = typename workflow<S>::context::dependencies; };

/// The n-th of Args, from 1, is a T.
template <class T, std::size_t N, class... Args> consteval bool is_at() {
  if constexpr (N == 0 || N > sizeof...(Args))
    return false;
  else
    return std::is_same_v<std::remove_cvref_t<std::tuple_element_t<N - 1, std::tuple<Args...>>>, T>;
}
template <class T, std::size_t N, class... Args> inline constexpr bool has_at = is_at<T, N, Args...>();
template <class T, class... Args> inline constexpr bool ends_with = is_at<T, sizeof...(Args), Args...>();
} // namespace detail

/// Given to a workflow; lists the steps it may take: activities, and workflows that run as its children. All that a
/// workflow learns about the world comes through here, and what it learned is in history: on replay the same calls give
/// the same answers without happening again.
/// Arguments are passed as the step declares them; a step with one struct may also be given the struct's members. After
/// those of a child workflow its instance_id may follow; without one it is "<instance id>/@child.<name>:<n>".
///
/// While nothing but time and events is waited for, the instance is a row in the database, and owned by nobody.
template <const auto&... Steps> class workflow_context {
  static_assert(((detail::is_activity<detail::definition_t<Steps>> ||
                  detail::is_workflow<detail::definition_t<Steps>>)&&...),
                "romancy: the steps of a workflow_context are activities and workflows");

public:
  using steps = detail::list<detail::constant<Steps>...>;
  using dependencies = detail::join_unique_t<typename detail::dependencies_of<detail::definition_t<Steps>>::type...>;

  explicit workflow_context(detail::instance_port& port) : port_{&port} {}
  workflow_context(const workflow_context&) = delete;
  workflow_context& operator=(const workflow_context&) = delete;

  /// Runs a step; `co_await` gives its output. Throws activity_failed when it failed for good.
  template <const auto& Step, class... Args> auto call(Args&&... args) {
    return detail::step_awaitable<detail::output_reader<output_t<Step>>>{*port_,
                                                                         command<Step>(std::forward<Args>(args)...)};
  }
  /// Runs a step; `co_await` gives an outcome: a failure is a value.
  template <const auto& Step, class... Args> auto try_call(Args&&... args) {
    return detail::try_awaitable<output_t<Step>>{*port_, command<Step>(std::forward<Args>(args)...)};
  }
  /// Begins a step, which then goes on while the function does. Its position in history is taken here.
  template <const auto& Step, class... Args> auto start(Args&&... args) {
    return started<output_t<Step>>{*port_, begun(command<Step>(std::forward<Args>(args)...))};
  }
  template <const auto& Step> auto call(detail::braces) { return refuse_braces<Step>(); }
  template <const auto& Step> auto try_call(detail::braces) { return refuse_braces<Step>(); }

  /// Waits for all of some started steps; `co_await` gives a tuple of their outputs (std::monostate for void). When some
  /// have failed, throws the failure of the first of them in the order given, once all are done.
  template <class... Started> auto all(Started&... begun_steps) {
    static_assert((detail::is_started<Started> && ...), "romancy: all takes steps that ctx.start has begun");
    return detail::all_awaitable<Started...>{*port_, begun_steps...};
  }
  /// Waits until one of some started steps is done, well or not; `co_await` gives its index, which is recorded. The
  /// others go on.
  template <class... Started> auto any(Started&... begun_steps) {
    static_assert((detail::is_started<Started> && ...), "romancy: any takes steps that ctx.start has begun");
    static_assert(sizeof...(Started) > 0, "romancy: any of no steps is never done");
    detail::step_command choice{detail::step_kind::choice, "@any"};
    choice.candidates = {begun_steps.state()...};
    return step<std::size_t>(std::move(choice));
  }

  /// Waits. The time counts from the first run: however often the process dies, it does not begin anew. Exact to
  /// milliseconds while a process that serves the workflow is there; else as soon as one is.
  auto sleep_for(std::chrono::microseconds time) { return step<void>(timer(time)); }
  auto sleep_until(std::chrono::sys_time<std::chrono::microseconds> time) { return step<void>(timer(time)); }
  auto start_sleep_for(std::chrono::microseconds time) { return started<void>{*port_, begun(timer(time))}; }
  auto start_sleep_until(std::chrono::sys_time<std::chrono::microseconds> time) {
    return started<void>{*port_, begun(timer(time))};
  }

  /// Waits for a CloudEvent of the type: one for this instance, which may have come before, or one for all, which must
  /// come while it waits (subscribe first, to miss nothing). `co_await` gives a received_event, or its data as a `T`.
  /// Throws activity_failed when the data does not fit; it is received all the same.
  template <class T = received_event> auto wait_event(std::string_view type) {
    return awaited<detail::event_reader<T, false>>(wait("@wait_event", {std::string{type}}));
  }
  /// The same for at most so long: `co_await` gives a std::optional, empty when the time has passed.
  template <class T = received_event> auto wait_event(std::string_view type, std::chrono::microseconds timeout) {
    return awaited<detail::event_reader<T, true>>(wait("@wait_event", {std::string{type}}, timeout));
  }
  /// A typed event.
  template <class Event> auto wait_event() {
    static_assert(detail::check_event<Event>());
    return wait_event<Event>(Event::event_type);
  }
  template <class Event> auto wait_event(std::chrono::microseconds timeout) {
    static_assert(detail::check_event<Event>());
    return wait_event<Event>(Event::event_type, timeout);
  }
  /// Whichever comes first: `co_await` gives a std::variant, with a timeout in a std::optional.
  template <class... Events> auto wait_events() {
    static_assert((detail::check_event<Events>() && ...));
    return awaited<detail::variant_reader<false, Events...>>(wait("@wait_event", {std::string{Events::event_type}...}));
  }
  template <class... Events> auto wait_events(std::chrono::microseconds timeout) {
    static_assert((detail::check_event<Events>() && ...));
    return awaited<detail::variant_reader<true, Events...>>(
        wait("@wait_event", {std::string{Events::event_type}...}, timeout));
  }
  /// Waits while the function goes on.
  template <class T = received_event> auto start_wait_event(std::string_view type) {
    return started_step<detail::event_reader<T, false>>{*port_, begun(wait("@wait_event", {std::string{type}}))};
  }

  /// From now on this instance gets what is published on the channel: the events of that type, if it is one. What it has
  /// not received yet is kept as long as the instance is unfinished. `co_await` throws activity_failed when other
  /// instances subscribe to it in another mode.
  auto subscribe(std::string_view channel, channel_mode mode = channel_mode::broadcast) {
    using enum detail::channel_operation;
    return step<void>(
        change("@subscribe", mode == channel_mode::broadcast ? subscribe_broadcast : subscribe_competing, channel));
  }
  auto unsubscribe(std::string_view channel) {
    return step<void>(change("@unsubscribe", detail::channel_operation::unsubscribe, channel));
  }
  /// Waits for the next message of a channel that this instance subscribes to, or one that was sent to it.
  template <class T = received_event> auto receive(std::string_view channel) {
    return awaited<detail::event_reader<T, false>>(wait("@receive", {std::string{channel}}));
  }
  template <class T = received_event> auto receive(std::string_view channel, std::chrono::microseconds timeout) {
    return awaited<detail::event_reader<T, true>>(wait("@receive", {std::string{channel}}, timeout));
  }
  /// To all that subscribe to the channel; once, however often this is replayed.
  template <class Data> auto publish(std::string_view channel, Data&& data) {
    return step<std::string>(message("@publish", detail::channel_operation::publish, channel, std::forward<Data>(data)));
  }
  /// To one instance, which need not be there yet. Nothing happens if it has ended.
  template <class Data> auto send_to(std::string_view instance, std::string_view channel, Data&& data) {
    auto sent = message("@send_to", detail::channel_operation::send, channel, std::forward<Data>(data));
    sent.to = std::string{instance};
    return step<std::string>(std::move(sent));
  }
  /// Groups are sets of instances by name; an instance leaves them at its end.
  auto join_group(std::string_view group) {
    return step<void>(change("@join_group", detail::channel_operation::join, group));
  }
  auto leave_group(std::string_view group) {
    return step<void>(change("@leave_group", detail::channel_operation::leave, group));
  }
  /// The ids of the instances in a group, as they are now.
  auto group_members(std::string_view group) {
    return step<std::vector<std::string>>(change("@group_members", detail::channel_operation::members, group));
  }

  /// Which version of the code is to run at this place: `newest` for instances that come here for the first time, and
  /// what was recorded for those that did before; 0 for an instance that has gone past this place already, by code that
  /// did not ask. One that is not from `oldest` to `newest` parks: keep `oldest` at 0 while there may be any.
  auto version(std::string_view change, int oldest, int newest) {
    detail::step_command command{detail::step_kind::version, {}};
    command.to = std::string{change};
    command.oldest = oldest;
    command.newest = newest;
    return step<int>(std::move(command));
  }

  /// Begins the workflow anew, with other inputs: `co_return co_await ctx.recur(…)`, or a last `co_await ctx.recur(…)`
  /// in a workflow without output. In one transaction the history so far is archived, and its compensations and waits are
  /// dropped: what was done before is not undone when a later run fails. Id, subscriptions, groups and messages stay.
  template <class... Args> auto recur(Args&&... args) {
    static_assert(detail::check_temporaries<Args...>());
    detail::step_command command{detail::step_kind::recur, "@recur", detail::json::array()};
    (command.input.push_back(detail::encode<std::remove_cvref_t<Args>>(args)), ...);
    return detail::recur_awaitable{*port_, std::move(command)};
  }

  /// When the outcome was recorded that the function has seen last; at its beginning, when the instance was started.
  std::chrono::sys_time<std::chrono::microseconds> now() const { return port_->now(); }
  /// Evenly distributed, the same on replay. Not for secrets.
  std::uint64_t random() { return port_->random(); }
  /// A random UUID, the same on replay.
  std::string uuid() {
    const auto high = port_->random();
    return detail::random_uuid(high, port_->random());
  }

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
    return step<std::string>({detail::step_kind::event, "@send_event", {}, nullptr, nullptr, std::move(event)});
  }

private:
  template <const auto& Step> using output_t = typename detail::definition_t<Step>::output;

  template <class T> auto step(detail::step_command command) {
    return detail::step_awaitable<detail::output_reader<T>>{*port_, std::move(command)};
  }
  template <class Reader> auto awaited(detail::step_command command) {
    return detail::step_awaitable<Reader>{*port_, std::move(command)};
  }
  static detail::step_command begun(detail::step_command command) {
    command.started = true;
    return command;
  }
  static detail::step_command timer(std::chrono::microseconds time) {
    detail::step_command command{detail::step_kind::timer, "@sleep"};
    command.within = time;
    return command;
  }
  static detail::step_command timer(std::chrono::sys_time<std::chrono::microseconds> time) {
    detail::step_command command{detail::step_kind::timer, "@sleep"};
    command.until = time;
    return command;
  }
  static detail::step_command wait(std::string_view name, std::vector<std::string> channels,
                                   std::optional<std::chrono::microseconds> timeout = {}) {
    detail::step_command command{detail::step_kind::wait, name};
    command.channels = std::move(channels);
    command.within = timeout;
    return command;
  }
  static detail::step_command change(std::string_view name, detail::channel_operation operation,
                                     std::string_view channel) {
    detail::step_command command{detail::step_kind::channel, name};
    command.operation = operation;
    command.channels = {std::string{channel}};
    return command;
  }
  template <class Data>
  static detail::step_command message(std::string_view name, detail::channel_operation operation,
                                      std::string_view channel, Data&& data) {
    static_assert(detail::check_temporaries<Data>());
    static_assert(std::is_convertible_v<const Data&, detail::json>,
                  "romancy: the data of a message converts to nlohmann::json");
    auto command = change(name, operation, channel);
    command.input = detail::encode<detail::json>(data);
    return command;
  }

  template <const auto& Step> auto refuse_braces() {
    static_assert(
        detail::always_false<detail::constant<Step>>,
        "romancy: no braces inside co_await (g++ 12 destroys the struct twice): pass its members, or a variable");
    return step<output_t<Step>>({});
  }

  template <const auto& Step, class... Args> static detail::step_command command(Args&&... args) {
    static_assert(detail::contains<steps, detail::constant<Step>>,
                  "romancy: this workflow does not list the step: add it to its workflow_context<...>");
    static_assert(detail::check_temporaries<Args...>());
    using definition = detail::definition_t<Step>;
    if constexpr (detail::is_activity<definition>) {
      return {detail::step_kind::activity, Step.name(),
              detail::encode_inputs(typename definition::inputs{}, std::forward<Args>(args)...)};
    } else {
      detail::step_command child{detail::step_kind::child, Step.name()};
      auto given = std::forward_as_tuple(std::forward<Args>(args)...);
      constexpr bool has_id = detail::ends_with<romancy::instance_id, Args...>;
      if constexpr (has_id) child.child_id = std::get<sizeof...(Args) - 1>(given).value;
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        child.input = detail::encode_inputs(typename definition::inputs{}, std::get<I>(std::move(given))...);
      }
      (std::make_index_sequence<sizeof...(Args) - has_id>{});
      return child;
    }
  }

  detail::instance_port* port_;
};

} // namespace romancy
