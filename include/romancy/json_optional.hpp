/// std::optional as a payload: absent is JSON null. nlohmann 3.11 has no conversion of its own.
#pragma once

#include <optional>
#include <type_traits>

#include <nlohmann/json.hpp>

template <class T> struct nlohmann::adl_serializer<std::optional<T>> {
  template <class Json>
    requires std::is_constructible_v<Json, const T&>
  static void to_json(Json& out, const std::optional<T>& value) {
    if (value)
      out = Json(*value);
    else
      out = nullptr;
  }
  template <class Json>
    requires requires(const Json& in) { in.template get<T>(); }
  static void from_json(const Json& in, std::optional<T>& value) {
    if (in.is_null())
      value.reset();
    else
      value = in.template get<T>();
  }
};
