/// Looks for requests that break the decoder of CloudEvents. An input is what HTTP would carry: lines `name: value`, an
/// empty line, the body. See scripts/fuzz.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/base64.hpp"
#include "actors/cloud_event_decoder.hpp"
#include "actors/cloud_event_encoder.hpp"
#include "actors/utf8.hpp"

namespace romancy {
namespace {

using nlohmann::json;
using data_kind = cloud_event::data_kind;

constexpr std::size_t max_batch = 5;

void expect(bool condition, const char* promise) {
  if (condition) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return std::string{text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1)};
}

/// As an HTTP parser hands them over: lower case, trimmed.
http_headers headers_in(std::string_view& input) {
  http_headers headers;
  while (!input.empty()) {
    const auto end = std::min(input.find('\n'), input.size());
    const auto line = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) break;
    std::string name{line.substr(0, colon)};
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    headers.emplace(std::move(name), trimmed(line.substr(colon + 1)));
  }
  return headers;
}

/// The bytes that the data stands for, in whatever mode they travel.
std::string payload_of(const cloud_event& event) {
  switch (event.kind) {
    case data_kind::none: return {};
    case data_kind::json: return event.data.dump();
    case data_kind::text: return event.data.get<std::string>();
    case data_kind::bytes: return from_base64(event.data.get<std::string>());
  }
  return {};
}

json envelope_of(const cloud_event& event) {
  json envelope = event.attributes;
  if (event.kind != data_kind::none) envelope[event.kind == data_kind::bytes ? "data_base64" : "data"] = event.data;
  return envelope;
}

/// What users and storage rely on.
void check_parts(const cloud_event& event) {
  expect(!event.id.empty() && !event.source.empty() && !event.type.empty(), "required attributes are not empty");
  expect(event.specversion == "1.0", "the specversion is 1.0");
  const auto same = [&](const char* name, const std::string& value) {
    const auto found = event.attributes.find(name);
    return found == event.attributes.end() ? value.empty() : *found == value;
  };
  expect(same("id", event.id) && same("source", event.source) && same("type", event.type) && same("time", event.time) &&
             same("subject", event.subject) && same("dataschema", event.dataschema) &&
             same("datacontenttype", event.datacontenttype),
         "members and attributes are the same");
  expect(!event.attributes.contains("data") && !event.attributes.contains("data_base64"), "data is no attribute");
  expect(is_utf8(envelope_of(event).dump()), "all is UTF-8"); // dump throws otherwise
  expect((event.kind == data_kind::none) == event.data.is_null() || event.kind == data_kind::json,
         "the kind says what data is");
  if (event.kind == data_kind::bytes) expect(is_base64(event.data.get<std::string>()), "bytes are base64");
}

void check_same(const cloud_event& left, const cloud_event& right) {
  expect(left.attributes == right.attributes, "attributes survive");
  expect(left.kind == right.kind && left.data == right.data, "data survives");
}

bool is_printable(std::string_view text) {
  for (const char c : text)
    if (c < ' ' || c > '~') return false;
  return trimmed(text) == text;
}

/// Through our own encoder, in both modes, as an event that is sent on.
void check_sent_on(const cloud_event& event) {
  if (event.kind == data_kind::none) return; // our events always have data
  event_record record;
  record.id = event.id;
  record.type = event.type;
  record.source = event.source;
  json attributes = event.attributes;
  for (const auto* name : {"id", "type", "source", "specversion", "time", "datacontenttype"}) attributes.erase(name);
  record.attributes = attributes.dump();
  record.content_type = event.datacontenttype.empty() ? "application/json" : event.datacontenttype;
  record.data = event.kind == data_kind::bytes ? event.data.get<std::string>() : payload_of(event);
  record.data_encoding = event.kind == data_kind::bytes ? "base64" : event.kind == data_kind::text ? "text" : "json";
  for (const auto mode : {content_mode::structured, content_mode::binary}) {
    if (mode == content_mode::binary && !is_printable(record.content_type)) continue; // not in a header
    if (mode == content_mode::binary && event.kind == data_kind::bytes &&
        record.content_type.find("json") != std::string::npos)
      continue; // bytes that call themselves JSON need not be
    if (mode == content_mode::binary && record.content_type.find("application/cloudevents") == 0) continue;
    const auto sent = encode(record, mode);
    std::string lines;
    for (const auto& header : sent.headers) lines += header + '\n';
    std::string_view rest = lines;
    const auto again = decode_cloud_event(headers_in(rest), sent.body);
    expect(again.id == event.id && again.source == event.source && again.type == event.type, "the identity survives");
    for (const auto& [name, value] : attributes.items()) {
      const auto& got = again.attributes.at(name);
      expect(got == value || got == value.dump(), "extensions survive, in binary mode as text");
    }
    expect(payload_of(again) == payload_of(event), "the payload survives");
  }
}

void check(const http_headers& headers, std::string_view body) {
  std::vector<cloud_event> events;
  try {
    events = decode_cloud_events(headers, body, max_batch);
  } catch (const malformed_event& e) { // and nothing else
    expect(std::string_view{e.what()}.size() > 0 && std::string_view{e.what()}.size() < 2000,
           "refusals are short sentences");
    return;
  }
  expect(events.size() <= max_batch, "batches are limited");
  auto batch = json::array();
  for (const auto& event : events) {
    check_parts(event);
    batch.push_back(envelope_of(event));
    const auto again = decode_cloud_event({{"content-type", "application/cloudevents+json"}}, batch.back().dump());
    check_same(event, again);
    check_sent_on(event);
  }
  const auto again =
      decode_cloud_events({{"content-type", "application/cloudevents-batch+json"}}, batch.dump(), max_batch);
  expect(again.size() == events.size(), "a batch survives");
  for (std::size_t i = 0; i < events.size(); ++i) check_same(events[i], again[i]);
}

} // namespace
} // namespace romancy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input{reinterpret_cast<const char*>(data), size};
  const auto headers = romancy::headers_in(input);
  romancy::check(headers, input);
  return 0;
}
