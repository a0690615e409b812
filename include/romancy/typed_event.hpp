#pragma once

#include <string_view>
#include <type_traits>
#include <utility>

#include <romancy/detail/arguments.hpp>

namespace romancy {

/// A struct that carries its own type: `static constexpr auto event_type = "order.created"`, optionally
/// `static constexpr auto event_source = "order-service"`, and JSON both ways.
template <class E>
concept typed_event = detail::json_value<E> && requires {
  std::string_view{E::event_type};
};

namespace detail {

template <class Event> consteval bool check_event() {
  static_assert(typed_event<Event>,
                "romancy: an event has `static constexpr auto event_type` and converts to and from nlohmann::json");
  return typed_event<Event>;
}

/// Empty: the app's own.
template <class Event> constexpr std::string_view source_of() {
  if constexpr (requires { std::string_view{Event::event_source}; })
    return Event::event_source;
  else
    return {};
}

/// Gives `event` or `Event{members...}` to `send(type, source, data)`.
template <class Event, class Send, class... Members> auto with_event(Send send, Members&&... members) {
  if constexpr (check_event<Event>()) {
    static_assert(sizeof...(Members) == 1 || made_of<Event, Members...>,
                  "romancy: these are not the members of the event");
    if constexpr ((std::is_same_v<Event, std::remove_cvref_t<Members>> && ... && (sizeof...(Members) == 1)))
      return send(std::string_view{Event::event_type}, source_of<Event>(), encode<Event>(members...));
    else
      return send(std::string_view{Event::event_type}, source_of<Event>(),
                  encode(Event{std::forward<Members>(members)...}));
  }
}

} // namespace detail
} // namespace romancy
