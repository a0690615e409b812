/// Sending events. In an activity the event is kept or lost with the transaction, and the call returns its CloudEvents
/// id. In a workflow body it is a durable step: `co_await send_event_transactional(…)` gives the id, and however often
/// the workflow is replayed there is one event. Nothing is sent before COMMIT; a relayer delivers it afterwards, at least
/// once. Throws payload_error if the event is not a valid CloudEvent or is larger than app_options::max_payload_bytes.
/// Seed: "Send Events Transactionally".
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include <romancy/activity_context.hpp>
#include <romancy/external_context.hpp>
#include <romancy/typed_event.hpp>
#include <romancy/workflow_context.hpp>

namespace romancy {

namespace detail {
inline outgoing_event json_event(std::string_view type, std::string_view source, const json& data,
                                 const event_options& options) {
  return {std::string{type}, std::string{source}, event_data::of_json(data), options};
}
} // namespace detail

// -- in an activity -------------------------------------------------------------------------------------------------

/// The seed's form: type, source, JSON data. An empty source is the app's service_name.
inline std::string send_event_transactional(activity_context& ctx, std::string_view type, std::string_view source,
                                            const nlohmann::json& data, const event_options& options = {}) {
  return ctx.port().add_event(detail::json_event(type, source, data, options));
}
/// Text or bytes that are not JSON.
inline std::string send_event_transactional(activity_context& ctx, std::string_view type, std::string_view source,
                                            const event_data& data, const event_options& options = {}) {
  return ctx.port().add_event({std::string{type}, std::string{source}, data, options});
}
/// A typed event: send_event_transactional(ctx, order_completed{id}).
template <class Event>
std::string send_event_transactional(activity_context& ctx, const Event& event, const event_options& options = {}) {
  return detail::with_event<Event>(
      [&](std::string_view type, std::string_view source, const nlohmann::json& data) {
        return ctx.port().add_event(detail::json_event(type, source, data, options));
      },
      event);
}
/// A typed event from its members: send_event_transactional<order_completed>(ctx, id).
template <class Event, class... Members>
  requires(!std::same_as<Event, std::string>)
std::string send_event_transactional(activity_context& ctx, Members&&... members) {
  return detail::with_event<Event>(
      [&](std::string_view type, std::string_view source, const nlohmann::json& data) {
        return ctx.port().add_event(detail::json_event(type, source, data, {}));
      },
      std::forward<Members>(members)...);
}

// -- in a workflow --------------------------------------------------------------------------------------------------

template <const auto&... Steps, class Event>
  requires(!std::convertible_to<Event, std::string_view>)
auto send_event_transactional(workflow_context<Steps...>& ctx, Event&& event, const event_options& options = {}) {
  static_assert(detail::check_temporaries<Event>());
  return detail::with_event<std::remove_cvref_t<Event>>(
      [&](std::string_view type, std::string_view source, const nlohmann::json& data) {
        return ctx.send(detail::json_event(type, source, data, options));
      },
      event);
}
/// The event from its members, the form to use inside co_await: send_event_transactional<order_completed>(ctx, id).
template <class Event, const auto&... Steps, class... Members>
auto send_event_transactional(workflow_context<Steps...>& ctx, Members&&... members) {
  static_assert(detail::check_temporaries<Members...>());
  return detail::with_event<Event>(
      [&](std::string_view type, std::string_view source, const nlohmann::json& data) {
        return ctx.send(detail::json_event(type, source, data, {}));
      },
      std::forward<Members>(members)...);
}
/// Type, source and data: JSON, or an event_data.
template <const auto&... Steps, class Data>
auto send_event_transactional(workflow_context<Steps...>& ctx, std::string_view type, std::string_view source,
                              Data&& data, const event_options& options = {}) {
  static_assert(detail::check_temporaries<Data>());
  if constexpr (std::same_as<std::remove_cvref_t<Data>, event_data>) {
    return ctx.send({std::string{type}, std::string{source}, data, options});
  } else {
    static_assert(std::convertible_to<const Data&, nlohmann::json>,
                  "romancy: the data of an event converts to nlohmann::json or is a romancy::event_data");
    return ctx.send(detail::json_event(type, source, data, options));
  }
}
template <const auto&... Steps>
auto send_event_transactional(workflow_context<Steps...>& ctx, std::string_view, std::string_view, detail::braces,
                              const event_options& = {}) {
  static_assert(
      detail::always_false<workflow_context<Steps...>>,
      "romancy: no braces inside co_await (g++ 12 cannot compile them): put the nlohmann::json into a variable");
  return ctx.send({{}, {}, event_data::of_json({}), {}});
}

// -- outside a transaction: refused ---------------------------------------------------------------------------------

template <class Event = void, class... Anything> void send_event_transactional(external_context&, const Anything&...) {
  static_assert(detail::always_false<Event>,
                "romancy: no transaction here: take romancy::activity_context& to send an event");
}
template <class Event = void>
void send_event_transactional(external_context&, std::string_view, std::string_view, const nlohmann::json&,
                              const event_options& = {}) {
  static_assert(detail::always_false<Event>,
                "romancy: no transaction here: take romancy::activity_context& to send an event");
}

} // namespace romancy
