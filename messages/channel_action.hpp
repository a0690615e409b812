#pragma once

#include <string>
#include <string_view>

namespace romancy {

/// What a step does to channels and groups, in the transaction in which it is recorded.
struct channel_action {
  enum class kind { subscribe_broadcast, subscribe_competing, unsubscribe, publish, send, join, leave, members };
  kind what = kind::publish;
  std::string channel; ///< or the group
  std::string message; ///< publish, send: a JSON object, a received_event as text
  std::string to;      ///< send: the id of an instance
};

} // namespace romancy
