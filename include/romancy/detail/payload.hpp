/// What may be an input, an output or an event, and how it becomes JSON. Nothing here is for users.
/// Every refusal is a static_assert whose text starts with "romancy: " and names the remedy.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include <romancy/detail/json_depth.hpp>
#include <romancy/detail/type_list.hpp>
#include <romancy/json_optional.hpp>

namespace romancy {

template <class T> class task;

namespace detail {

using json = nlohmann::json;

template <class T> inline constexpr bool is_task = false;
template <class T> inline constexpr bool is_task<task<T>> = true;

/// nlohmann::json reads into a view without complaint, and it dangles: refuse views, also in ranges, pairs and tuples.
template <class T> inline constexpr bool owns_its_data = !std::is_pointer_v<T> && !std::is_reference_v<T>;
template <> inline constexpr bool owns_its_data<std::string_view> = false;
template <class T, std::size_t N> inline constexpr bool owns_its_data<std::span<T, N>> = false;
template <class T> inline constexpr bool owns_its_data<const T> = owns_its_data<T>; // the keys of a map
template <class A, class B> inline constexpr bool owns_its_data<std::pair<A, B>> = owns_its_data<A>&& owns_its_data<B>;
template <class... Ts> inline constexpr bool owns_its_data<std::tuple<Ts...>> = (owns_its_data<Ts> && ...);
template <class T>
  requires requires {
    typename T::value_type;
  } &&(!std::is_same_v<typename T::value_type, T>)inline constexpr bool owns_its_data<T> =
      owns_its_data<typename T::value_type>;

  template <class T>
  concept json_value = std::is_void_v<T> ||(owns_its_data<T>&& requires(const T& out, const json& in) {
    json(out);
    in.get<T>();
  });

  template <class T> json encode(const T& value) {
    if constexpr (std::is_same_v<T, json>) check_depth(value, "a JSON value");
    return json(value); // parentheses: json{x} makes an array of one
  }

  template <class Out> consteval bool check_output() {
    static_assert(!is_task<Out>, "romancy: an activity is not a coroutine: only workflows return romancy::task");
    static_assert(!std::is_reference_v<Out>, "romancy: return by value: a reference cannot be recorded");
    static_assert(std::is_reference_v<Out> || json_value<Out>,
                  "romancy: an output must convert to and from nlohmann::json and own its data");
    return true;
  }

} // namespace detail
} // namespace romancy
