/// How the function of a definition is read and what of it is refused. Nothing here is for users.
#pragma once

#include <type_traits>

#include <romancy/detail/payload.hpp>

namespace romancy::detail {

/// The signature of a captureless lambda or a plain function, exactly as written: R(Args...).
template <class F> struct signature {
  static_assert(always_false<F>, "romancy: pass a function or a lambda whose parameter types are spelled out (no auto)");
};
template <class R, class... As> struct signature<R (*)(As...)> { using type = R(As...); };
template <class R, class... As> struct signature<R (*)(As...) noexcept> : signature<R (*)(As...)> {
  static_assert(always_false<R>, "romancy: must not be noexcept: failures are reported by exceptions");
};

template <class MemberFunction> struct call_operator;
template <class L, class R, class... As> struct call_operator<R (L::*)(As...) const> { using type = R(As...); };
template <class L, class R, class... As> struct call_operator<R (L::*)(As...)> {
  static_assert(always_false<L>, "romancy: must not be mutable: a lambda's state is lost on replay");
  using type = R(As...);
};
template <class L, class R, class... As>
struct call_operator<R (L::*)(As...) const noexcept> : signature<R (*)(As...) noexcept> {};
template <class L, class R, class... As>
struct call_operator<R (L::*)(As...) noexcept> : signature<R (*)(As...) noexcept> {};

template <class F>
  requires requires { &F::operator(); }
struct signature<F> : call_operator<decltype(&F::operator())> {
  static_assert(std::is_empty_v<F>,
                "romancy: must not capture: captures are lost on replay; use an input or a dependency");
};
template <class F> using signature_t = typename signature<F>::type;

/// Sorts the parameters after the context into inputs (values and const&, decayed) and dependencies (non-const T&).
template <class Inputs, class Dependencies, class... Params> struct parameters {
  using inputs = Inputs;
  using dependencies = Dependencies;
};
template <class... Is, class... Ds, class P, class... Rest>
struct parameters<list<Is...>, list<Ds...>, P, Rest...>
    : parameters<list<Is..., std::remove_cvref_t<P>>, list<Ds...>, Rest...> {
  static_assert(!std::is_rvalue_reference_v<P>, "romancy: take an input by value or by const&");
  static_assert(sizeof...(Ds) == 0, "romancy: inputs come before dependencies (a dependency is a non-const reference)");
  static_assert(json_value<std::remove_cvref_t<P>>,
                "romancy: an input must convert to and from nlohmann::json and own its data; "
                "a dependency is a non-const reference");
};
template <class... Is, class... Ds, class P, class... Rest>
  requires(!std::is_const_v<P>)
struct parameters<list<Is...>, list<Ds...>, P&, Rest...> : parameters<list<Is...>, list<Ds..., P>, Rest...> {};

} // namespace romancy::detail
