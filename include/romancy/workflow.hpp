#pragma once

#include <string_view>
#include <type_traits>

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

  constexpr workflow(detail::definition_name id, function* body) : name_{id}, run_{body} {}
  constexpr std::string_view name() const { return name_.text(); }
  constexpr function* run() const { return run_; }

private:
  detail::definition_name name_;
  function* run_;
};

template <class F> workflow(detail::definition_name, F) -> workflow<detail::signature_t<F>>;

} // namespace romancy
