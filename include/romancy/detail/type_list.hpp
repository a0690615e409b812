/// Lists of types and of definitions. Nothing here is for users.
#pragma once

#include <cstddef>
#include <type_traits>

namespace romancy::detail {

template <class...> inline constexpr bool always_false = false;

template <class... Ts> struct list { static constexpr std::size_t size = sizeof...(Ts); };

/// A definition as a type: two are the same type exactly when they name the same object.
template <const auto& Definition> struct constant { using type = std::remove_cvref_t<decltype(Definition)>; };
template <const auto& Definition> using definition_t = std::remove_cvref_t<decltype(Definition)>;

template <class List, class T> inline constexpr bool contains = false;
template <class... Ts, class T> inline constexpr bool contains<list<Ts...>, T> = (std::is_same_v<Ts, T> || ...);

/// Joins lists and drops repeated entries; the first occurrence keeps its place.
template <class Joined, class... Lists> struct join_unique { using type = Joined; };
template <class... Js, class... Rest>
struct join_unique<list<Js...>, list<>, Rest...> : join_unique<list<Js...>, Rest...> {};
template <class... Js, class T, class... Ts, class... Rest>
struct join_unique<list<Js...>, list<T, Ts...>, Rest...>
    : join_unique<std::conditional_t<contains<list<Js...>, T>, list<Js...>, list<Js..., T>>, list<Ts...>, Rest...> {};
template <class... Lists> using join_unique_t = typename join_unique<list<>, Lists...>::type;

} // namespace romancy::detail
