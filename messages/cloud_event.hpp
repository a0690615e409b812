#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace romancy {

/// A CloudEvent 1.0 as it came in. A value.
struct cloud_event {
  enum class content_mode { structured, binary }; ///< events of a batch are structured
  enum class data_kind { none, json, text, bytes };

  std::string id;
  std::string type;
  std::string source;
  std::string specversion; ///< "1.0"

  // Empty: not set.
  std::string time; ///< RFC 3339, as it came
  std::string subject;
  std::string dataschema;
  std::string datacontenttype; ///< in binary mode the Content-Type

  /// All attributes that are set, these and the extensions, by name: strings, booleans and integers in structured mode,
  /// strings in binary mode.
  nlohmann::json attributes = nlohmann::json::object();

  data_kind kind = data_kind::none;
  nlohmann::json data{}; ///< json: the value; text: a string; bytes: a string in base64

  content_mode mode = content_mode::structured;
  unsigned status = 0; ///< the HTTP status of the answer; 0: none is sent
};

constexpr std::string_view to_string(cloud_event::content_mode mode) {
  return mode == cloud_event::content_mode::structured ? "structured" : "binary";
}

} // namespace romancy
