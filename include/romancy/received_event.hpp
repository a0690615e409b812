#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace romancy {

/// A CloudEvent that came in, or a message of a channel, as a workflow gets it from `wait_event`. A value.
struct received_event {
  std::string id;
  std::string source; ///< of a message: the instance that has sent it
  std::string type;   ///< of a message: the channel
  /// JSON data as it is; text as a string; bytes as a string in base64 (`attributes` then has "data_encoding": "base64").
  nlohmann::json data{};
  /// All other attributes that were set, extensions too, by name.
  nlohmann::json attributes = nlohmann::json::object();
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(received_event, id, source, type, data, attributes)

} // namespace romancy
