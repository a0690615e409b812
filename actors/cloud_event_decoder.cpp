#include "actors/cloud_event_decoder.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "actors/base64.hpp"
#include "actors/percent_encoding.hpp"
#include "actors/utf8.hpp"

namespace romancy {
namespace {

using nlohmann::json;

constexpr int max_depth = 200; // of data

template <class... Parts> [[noreturn]] void refuse(event_flaw flaw, const Parts&... parts) {
  std::string sentence;
  (sentence.append(parts), ...);
  throw malformed_event{flaw, sentence};
}

/// What an attribute of type String may hold (CloudEvents 1.0, "Type System").
void check_text(std::string_view name, std::string_view text) {
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  text.remove_prefix(static_cast<std::size_t>(std::ranges::find_if_not(text, printable) - text.begin()));
  while (!text.empty()) {
    const auto point = cut_code_point(text);
    if (!point) refuse(event_flaw::encoding, "the attribute ", name, " is not valid UTF-8");
    if (is_control_or_noncharacter(*point))
      refuse(event_flaw::attribute, "the attribute ", name, " holds a control character or a noncharacter");
  }
}

/// `YYYY-MM-DDThh:mm:ss`, a fraction if wanted, `Z` or `±hh:mm` (RFC 3339).
bool is_timestamp(std::string_view text) {
  const auto number = [&text](std::size_t digits, int low, int high) -> std::optional<int> {
    int value = 0;
    if (text.size() < digits || text.find_first_not_of("0123456789") < digits) return std::nullopt;
    std::from_chars(text.data(), text.data() + digits, value);
    text.remove_prefix(digits);
    return value < low || value > high ? std::nullopt : std::optional{value};
  };
  const auto one_of = [&text](std::string_view allowed) {
    if (text.empty() || allowed.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  const auto clock = [&] { return number(2, 0, 23) && one_of(":") && number(2, 0, 59); };

  std::optional<int> year, month, day;
  if (!(year = number(4, 0, 9999)) || !one_of("-") || !(month = number(2, 1, 12)) || !one_of("-") ||
      !(day = number(2, 1, 31)))
    return false;
  if (!(std::chrono::year{*year} / *month / *day).ok()) return false;
  if (!one_of("Tt") || !clock() || !one_of(":") || !number(2, 0, 60)) return false;
  if (one_of(".")) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return false;
    text.remove_prefix(digits);
  }
  return (one_of("Zz") || (one_of("+-") && clock())) && text.empty();
}

/// `Application/JSON; charset=utf-8` → `application/json`
std::string media_type(std::string_view content_type) {
  std::string type{content_type.substr(0, content_type.find_first_of("; \t"))};
  std::ranges::transform(type, type.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return type;
}

bool is_json(std::string_view type) { return type.ends_with("/json") || type.ends_with("+json"); }

bool is_text(std::string_view type) {
  return type.starts_with("text/") || type.ends_with("/xml") || type.ends_with("+xml");
}

/// How deep arrays and objects nest in the JSON text `body`.
int depth_of(std::string_view body) {
  int depth = 0, deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (quoted) {
      quoted = c != '"';
      if (c == '\\') ++i;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

/// At most 200 bytes of what came from outside.
std::string shown(std::string_view text) {
  return text.size() <= 200 ? std::string{text} : std::string{text.substr(0, 200)} + "…";
}

json parse_json(std::string_view body, int deepest, const json::parser_callback_t& on_part = nullptr) {
  if (depth_of(body) > deepest)
    refuse(event_flaw::json, "the body nests deeper than ", std::to_string(deepest), " levels");
  if (!is_utf8(body)) refuse(event_flaw::encoding, "the body is not JSON: it is not UTF-8");
  try {
    return json::parse(body, on_part);
  } catch (const json::exception& e) {
    const std::string_view what = e.what();
    refuse(event_flaw::json, "the body is not JSON: ", shown(what.substr(what.find("] ") + 2)));
  }
}

/// A double-quoted value without its quotes and backslashes (RFC 7230, section 3.2.6); any other as it is.
std::string unquote(std::string_view name, std::string_view value) {
  if (!value.starts_with('"')) return std::string{value};
  std::string text;
  for (std::size_t i = 1; i < value.size(); ++i) {
    if (value[i] == '"' && i + 1 == value.size()) return text;
    if (value[i] == '"' || (value[i] == '\\' && ++i == value.size())) break;
    text += value[i];
  }
  refuse(event_flaw::encoding, "the header ce-", shown(name), " is not one double-quoted value: ", shown(value));
}

std::string decode_header(std::string_view name, std::string_view value) {
  if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    refuse(event_flaw::encoding, "the header ce-", shown(name),
           " has characters outside of ASCII that are not percent-encoded");
  auto decoded = percent_decoded(unquote(name, value));
  if (!decoded)
    refuse(event_flaw::encoding, "the header ce-", shown(name),
           " has a % that two hexadecimal digits do not follow: ", shown(value));
  return *std::move(decoded);
}

void check_attribute(std::string_view name, const json& value) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name == "data" || !std::ranges::all_of(name, allowed))
    refuse(event_flaw::attribute, "\"", shown(name),
           "\" is not an attribute name; it may only have a-z and 0-9, and \"data\" is none");
  if (value.is_string()) return check_text(name, value.get_ref<const std::string&>());
  const bool integer = value.is_number_unsigned()
                           ? std::in_range<std::int32_t>(value.get<std::uint64_t>())
                           : value.is_number_integer() && std::in_range<std::int32_t>(value.get<std::int64_t>());
  if (!integer && !value.is_boolean())
    refuse(event_flaw::attribute, "the attribute ", shown(name),
           " is neither a string nor a boolean nor an integer of 32 bits");
}

/// Empty, if it is not set.
std::string text_attribute(const json& attributes, const char* name) {
  const auto found = attributes.find(name);
  if (found == attributes.end()) return {};
  if (!found->is_string() || found->get_ref<const std::string&>().empty())
    refuse(event_flaw::attribute, "the attribute ", name, " is not a string with at least one character");
  return *found;
}

std::string required_attribute(const json& attributes, const char* name) {
  if (!attributes.contains(name)) refuse(event_flaw::missing_attribute, "the required attribute ", name, " is missing");
  return text_attribute(attributes, name);
}

/// Checks the attributes and makes an event of them that has no data yet.
cloud_event event_of(json attributes, cloud_event::content_mode mode) {
  cloud_event event;
  event.specversion = required_attribute(attributes, "specversion");
  if (event.specversion != "1.0")
    refuse(event_flaw::specversion, "the specversion is \"", shown(event.specversion), "\", only \"1.0\" is understood");
  event.id = required_attribute(attributes, "id");
  event.source = required_attribute(attributes, "source");
  event.type = required_attribute(attributes, "type");
  event.time = text_attribute(attributes, "time");
  if (!event.time.empty() && !is_timestamp(event.time))
    refuse(event_flaw::attribute, "the time \"", shown(event.time),
           "\" is not written like 2026-01-31T23:59:59.123Z (RFC 3339)");
  event.subject = text_attribute(attributes, "subject");
  event.dataschema = text_attribute(attributes, "dataschema");
  event.datacontenttype = text_attribute(attributes, "datacontenttype");
  for (const auto& [name, value] : attributes.items()) check_attribute(name, value);
  event.attributes = std::move(attributes);
  event.mode = mode;
  return event;
}

/// Cuts the member out of the object; nothing, if there is none.
std::optional<json> cut_member(json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return std::nullopt;
  auto value = std::move(*found);
  object.erase(found);
  return value;
}

/// Parses what has envelopes at this depth. A member that is there twice could be read in two ways: it is refused.
json parse_envelopes(std::string_view body, int depth) {
  std::set<std::string> names;
  return parse_json(body, max_depth + depth, [&](int at, json::parse_event_t part, json& value) {
    if (at == depth - 1 && part == json::parse_event_t::object_start) names.clear();
    if (at == depth && part == json::parse_event_t::key && !names.insert(value.get<std::string>()).second)
      refuse(event_flaw::attribute, "there are two members ", shown(value.get<std::string>()));
    return true;
  });
}

cloud_event decode_envelope(json envelope) {
  auto data = cut_member(envelope, "data");
  auto bytes = cut_member(envelope, "data_base64");
  if (bytes && bytes->is_null()) bytes.reset();
  for (auto member = envelope.begin(); member != envelope.end();)
    member = member->is_null() ? envelope.erase(member) : std::next(member);

  auto event = event_of(std::move(envelope), cloud_event::content_mode::structured);
  if (data && bytes) refuse(event_flaw::data, "there is both data and data_base64");
  if (bytes) {
    if (!bytes->is_string() || !is_base64(bytes->get_ref<const std::string&>()))
      refuse(event_flaw::encoding, "data_base64 is not base64");
    event.kind = cloud_event::data_kind::bytes;
    event.data = std::move(*bytes);
  } else if (data) {
    const bool plain = event.datacontenttype.empty() || is_json(media_type(event.datacontenttype));
    if (!plain && !data->is_string())
      refuse(event_flaw::data, "data has to be a string, because datacontenttype is ", shown(event.datacontenttype));
    event.kind = plain ? cloud_event::data_kind::json : cloud_event::data_kind::text;
    event.data = std::move(*data);
  }
  return event;
}

cloud_event decode_binary(const http_headers& headers, std::string_view content_type, std::string_view body) {
  constexpr std::string_view prefix = "ce-";
  auto attributes = json::object();
  for (auto header = headers.lower_bound(prefix); header != headers.end() && header->first.starts_with(prefix);
       ++header) {
    const auto name = header->first.substr(prefix.size());
    attributes[name] = decode_header(name, header->second);
  }
  if (attributes.empty())
    refuse(event_flaw::media_type, "this is not a CloudEvent: the Content-Type is \"", shown(content_type),
           "\" instead of application/cloudevents+json, and there are no ce- headers");
  if (attributes.contains("datacontenttype"))
    refuse(event_flaw::attribute, "there is a header ce-datacontenttype; in binary mode Content-Type takes its place");
  if (!content_type.empty()) attributes["datacontenttype"] = content_type;

  auto event = event_of(std::move(attributes), cloud_event::content_mode::binary);
  const auto type = media_type(content_type);
  if (body.empty() && (type.empty() || is_json(type))) return event;
  if (is_json(type)) {
    event.kind = cloud_event::data_kind::json;
    event.data = parse_json(body, max_depth);
  } else if (is_text(type) && is_utf8(body)) {
    event.kind = cloud_event::data_kind::text;
    event.data = body;
  } else {
    event.kind = cloud_event::data_kind::bytes;
    event.data = to_base64(body);
  }
  return event;
}

/// The value of the header and the media type in it.
struct content_type {
  explicit content_type(const http_headers& headers) {
    const auto found = headers.find("content-type");
    if (found == headers.end()) return;
    value = found->second;
    media = media_type(value);
  }
  std::string_view value{};
  std::string media{};
};

cloud_event decode_one(const http_headers& headers, const content_type& type, std::string_view body) {
  if (type.media == "application/cloudevents+json") {
    auto envelope = parse_envelopes(body, 1);
    if (!envelope.is_object()) refuse(event_flaw::json, "the body is JSON but not an object");
    return decode_envelope(std::move(envelope));
  }
  if (type.media.starts_with("application/cloudevents"))
    refuse(event_flaw::media_type, "the Content-Type ", shown(type.media),
           " is not understood; send one event as application/cloudevents+json");
  return decode_binary(headers, type.value, body);
}

std::vector<cloud_event> decode_batch(std::string_view body, std::size_t max_batch) {
  auto envelopes = parse_envelopes(body, 2);
  if (!envelopes.is_array()) refuse(event_flaw::json, "the body is JSON but not an array");
  if (envelopes.size() > max_batch)
    refuse(event_flaw::batch_size, "the batch has ", std::to_string(envelopes.size()), " events, at most ",
           std::to_string(max_batch), " are taken at once: send them in several");
  std::vector<cloud_event> events;
  events.reserve(envelopes.size());
  for (auto& envelope : envelopes) try {
      if (!envelope.is_object()) refuse(event_flaw::json, "it is not an object");
      events.push_back(decode_envelope(std::move(envelope)));
    } catch (const malformed_event& e) {
      refuse(e.flaw(), "the event at index ", std::to_string(events.size()), " of the batch: ", e.what());
    }
  return events;
}

} // namespace

cloud_event decode_cloud_event(const http_headers& headers, std::string_view body) {
  return decode_one(headers, content_type{headers}, body);
}

std::vector<cloud_event> decode_cloud_events(const http_headers& headers, std::string_view body, std::size_t max_batch) {
  const content_type type{headers};
  if (type.media == "application/cloudevents-batch+json") return decode_batch(body, max_batch);
  std::vector<cloud_event> events;
  events.push_back(decode_one(headers, type, body));
  return events;
}

} // namespace romancy
