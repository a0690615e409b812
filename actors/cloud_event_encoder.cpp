#include "actors/cloud_event_encoder.hpp"

#include <nlohmann/json.hpp>

#include "actors/base64.hpp"
#include "actors/percent_encoding.hpp"
#include "storage/timestamp.hpp"

namespace romancy {

namespace {

using nlohmann::json;

/// RFC 3339: "2026-11-24T21:32:04.123456Z".
std::string rfc3339(time_point time) {
  auto text = to_text(time);
  text[10] = 'T';
  return text + 'Z';
}

json attributes_of(const event_record& event) {
  return event.attributes.empty() ? json::object() : json::parse(event.attributes);
}

encoded_event structured(const event_record& event) {
  json attributes = attributes_of(event);
  attributes["specversion"] = "1.0";
  attributes["id"] = event.id;
  attributes["source"] = event.source;
  attributes["type"] = event.type;
  attributes["time"] = rfc3339(event.created_at);
  attributes["datacontenttype"] = event.content_type;
  std::string body = attributes.dump();
  body.pop_back(); // the data goes in as it was stored, without being read again
  if (event.data_encoding == "base64")
    body += ",\"data_base64\":\"" + event.data + "\"}";
  else if (event.data_encoding == "text")
    body += ",\"data\":" + json(event.data).dump() + '}';
  else
    body += ",\"data\":" + event.data + '}';
  return {{"Content-Type: application/cloudevents+json"}, std::move(body)};
}

encoded_event binary(const event_record& event) {
  encoded_event encoded;
  auto header = [&](const std::string& name, std::string_view value) {
    encoded.headers.push_back("ce-" + name + ": " + percent_encoded(value));
  };
  encoded.headers.push_back("Content-Type: " + event.content_type);
  header("specversion", "1.0");
  header("id", event.id);
  header("source", event.source);
  header("type", event.type);
  header("time", rfc3339(event.created_at));
  const auto attributes = attributes_of(event);
  for (const auto& [name, value] : attributes.items())
    header(name, value.is_string() ? value.get<std::string>() : value.dump());
  encoded.body = event.data_encoding == "base64" ? from_base64(event.data) : event.data;
  return encoded;
}

} // namespace

encoded_event encode(const event_record& event, content_mode mode) {
  return mode == content_mode::binary ? binary(event) : structured(event);
}

} // namespace romancy
