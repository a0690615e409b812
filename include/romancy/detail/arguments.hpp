/// How the arguments of call, start and events become JSON, and which are refused. Nothing here is for users.
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <type_traits>
#include <utility>

#include <romancy/detail/payload.hpp>

namespace romancy::detail {

// clang-format off
/// An implicit conversion, less the ones that lose the value without a word.
template <class Input, class Argument>
concept accepts = std::convertible_to<Argument, Input> &&
                  !(std::is_integral_v<Input> && std::is_floating_point_v<std::remove_cvref_t<Argument>>) &&
                  !(std::is_same_v<Input, bool> && !std::is_same_v<std::remove_cvref_t<Argument>, bool>);
// clang-format on

template <class Inputs, class Arguments> inline constexpr bool accepts_all = false; // also when the counts differ
template <class... Is, class... As>
  requires(sizeof...(Is) == sizeof...(As))
inline constexpr bool accepts_all<list<Is...>, list<As...>> = (accepts<Is, As> && ...);

/// `Input{arguments...}`: how a struct is made from its members, inside the callee.
template <class Input, class... Arguments>
concept made_of = std::is_aggregate_v<Input> && requires(Arguments&&... arguments) {
  Input{std::forward<Arguments>(arguments)...};
};

template <class Inputs, class... Arguments> inline constexpr bool one_made_of = false;
template <class Input, class... Arguments>
inline constexpr bool one_made_of<list<Input>, Arguments...> = made_of<Input, Arguments...>;

/// g++ 12 copies an aggregate temporary bit by bit when its full-expression holds a co_await, and destroys it twice.
template <class Argument>
concept aggregate_temporary =
    !std::is_reference_v<Argument> && std::is_aggregate_v<Argument> && !std::is_trivially_destructible_v<Argument>;

/// Only for functions that are called inside a co_await expression.
template <class... Arguments> consteval bool check_temporaries() {
  static_assert(
      !(aggregate_temporary<Arguments> || ...),
      "romancy: no aggregate temporary inside co_await (g++ 12 destroys it twice): pass its members, or a variable");
  return true;
}

/// Matches an argument in braces, which no deduced parameter does: only there to say so.
struct braces {
  template <class... Ts> braces(Ts&&...) {}
  braces(std::initializer_list<braces>) {}
};

/// Inputs are passed as declared; one struct may also be passed as its members.
template <class... Ins, class... Args> json encode_inputs(list<Ins...>, Args&&... args) {
  json encoded = json::array();
  if constexpr (accepts_all<list<Ins...>, list<Args...>>) {
    (encoded.push_back(encode<Ins>(std::forward<Args>(args))), ...);
  } else if constexpr (one_made_of<list<Ins...>, Args...>) {
    (encoded.push_back(encode(Ins{std::forward<Args>(args)...})), ...);
  } else {
    static_assert(sizeof...(Ins) == sizeof...(Args), "romancy: wrong number of inputs for this definition");
    static_assert(sizeof...(Ins) != sizeof...(Args),
                  "romancy: an argument does not convert to the input of this definition");
  }
  return encoded;
}

} // namespace romancy::detail
