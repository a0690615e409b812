#pragma once

#include <span>
#include <string_view>
#include <type_traits>

#include <romancy/detail/definition_notes.hpp>
#include <romancy/workflow_context.hpp>

namespace romancy {

namespace detail {
template <class C> inline constexpr bool is_workflow_context = false;
template <const auto&... S> inline constexpr bool is_workflow_context<workflow_context<S...>> = true;
template <class T> struct task_output { using type = void; };
template <class T> struct task_output<task<T>> { using type = T; };
} // namespace detail

/// A durable function; a constexpr value made from a captureless coroutine:
///
///     constexpr auto process_order = romancy::workflow("process_order",
///         [](romancy::workflow_context<create_order, charge_card>& ctx, const new_order& in) -> romancy::task<receipt> {
///           auto placed = co_await ctx.call<create_order>(in.id, in.amount);
///           …
///         });
///
/// Its code must ask the context for everything that could differ between two runs: time, randomness and the world belong
/// into steps. One await a statement, its result named before it is tested.
template <class Signature> class workflow {
  static_assert(detail::always_false<Signature>,
                "romancy: the first parameter of a workflow is romancy::workflow_context<steps...>&");
};

template <class Result, class Context, class... Params> class workflow<Result(Context&, Params...)> {
  static_assert(detail::is_workflow_context<Context>,
                "romancy: the first parameter of a workflow is romancy::workflow_context<steps...>&");
  static_assert(sizeof(Context) > 0); // also checks what the context lists
  static_assert(detail::is_task<Result>, "romancy: a workflow returns romancy::task<Output>: write it as a coroutine");
  using shape = detail::parameters<detail::list<>, detail::list<>, Params...>;
  static_assert(shape::dependencies::size == 0,
                "romancy: a workflow takes inputs only: dependencies belong to activities");

public:
  using function = Result(Context&, Params...);
  using context = Context;
  using inputs = typename shape::inputs;
  using output = typename detail::task_output<Result>::type;
  static_assert(detail::check_output<output>());

  constexpr workflow(detail::definition_name id, function* body, detail::former_names former = {},
                     detail::event_rules rules = {})
      : name_{id}, run_{body}, former_{former}, rules_{rules} {}

  /// The name it had before: instances that were started under it go on with this one.
  constexpr workflow formerly(detail::definition_name old) const {
    return {name_, run_, former_.with(old.text()), rules_};
  }
  /// An incoming CloudEvent of the type starts an instance. The workflow takes one input, the data of the event. The
  /// instance's id is the text in the member `id` of the data; without `id` it is the source and the id of the event, so
  /// that each event starts one. An event for an instance that is there already starts nothing, and is refused if that
  /// has another input.
  constexpr workflow started_by(detail::literal type) const {
    static_assert(inputs::size == 1, "romancy: a workflow that an event starts takes one input, the data of the event");
    return {name_, run_, former_, rules_.with({type.text(), {}, true})};
  }
  constexpr workflow started_by(detail::literal type, detail::literal id) const {
    static_assert(inputs::size == 1, "romancy: a workflow that an event starts takes one input, the data of the event");
    return {name_, run_, former_, rules_.with({type.text(), id.text(), true})};
  }
  /// Incoming events of the type are for the instance whose id is the text in the member `id` of their data, unless they
  /// have the extension attribute `romancyinstanceid`, which always says so.
  constexpr workflow addressed_by(detail::literal type, detail::literal id) const {
    return {name_, run_, former_, rules_.with({type.text(), id.text(), false})};
  }

  constexpr std::string_view name() const { return name_.text(); }
  constexpr function* run() const { return run_; }
  constexpr std::span<const std::string_view> former() const { return former_.view(); }
  constexpr std::span<const detail::event_rule> rules() const { return rules_.view(); }

private:
  detail::definition_name name_;
  function* run_;
  detail::former_names former_;
  detail::event_rules rules_;
};

template <class F> workflow(detail::definition_name, F) -> workflow<detail::signature_t<F>>;

} // namespace romancy
