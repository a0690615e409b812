#include "cli/cloud_event_decoder.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

#include "cli/base64.hpp"

namespace romancy::cli {
namespace {

using nlohmann::json;

constexpr int max_depth = 200;

template <class... Parts> [[noreturn]] void refuse(const Parts&... parts) {
  std::string sentence;
  (sentence.append(parts), ...);
  throw std::invalid_argument{sentence};
}

/// Cuts one code point off `text`. Nothing, if it does not begin with valid UTF-8 (RFC 3629).
std::optional<char32_t> cut_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 0 || length > text.size()) return std::nullopt;
  char32_t point = length == 1 ? lead : lead & (0xffU >> (length + 1));
  for (const char c : text.substr(1, length - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0U) != 0x80) return std::nullopt;
    point = point << 6U | (byte & 0x3fU);
  }
  const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  if (overlong || (point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff) return std::nullopt;
  text.remove_prefix(length);
  return point;
}

bool is_utf8(std::string_view text) {
  while (!text.empty())
    if (!cut_code_point(text)) return false;
  return true;
}

/// What an attribute of type String may hold (CloudEvents 1.0, "Type System").
void check_text(std::string_view name, std::string_view text) {
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  text.remove_prefix(static_cast<std::size_t>(std::ranges::find_if_not(text, printable) - text.begin()));
  while (!text.empty()) {
    const auto point = cut_code_point(text);
    if (!point) refuse("the attribute ", name, " is not valid UTF-8");
    const bool control = *point < 0x20 || (*point >= 0x7f && *point < 0xa0);
    const bool noncharacter = (*point >= 0xfdd0 && *point <= 0xfdef) || (*point & 0xfffeU) == 0xfffe;
    if (control || noncharacter) refuse("the attribute ", name, " holds a control character or a noncharacter");
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

json parse_json(std::string_view body) {
  if (depth_of(body) > max_depth) refuse("the body nests deeper than ", std::to_string(max_depth), " levels");
  try {
    return json::parse(body);
  } catch (const json::exception& e) {
    const std::string_view what = e.what();
    refuse("the body is not JSON: ", what.substr(what.find("] ") + 2));
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
  refuse("the header ce-", name, " is not one double-quoted value: ", value);
}

std::string percent_decode(std::string_view name, std::string_view value) {
  std::string text;
  text.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '%') {
      text += value[i];
      continue;
    }
    unsigned byte = 0;
    const auto digits = value.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc{} || digits.size() < 2 || end != digits.data() + digits.size())
      refuse("the header ce-", name, " has a % that two hexadecimal digits do not follow: ", value);
    text += static_cast<char>(byte);
    i += 2;
  }
  return text;
}

std::string decode_header(std::string_view name, std::string_view value) {
  if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    refuse("the header ce-", name, " has characters outside of ASCII that are not percent-encoded");
  return percent_decode(name, unquote(name, value));
}

void check_attribute(std::string_view name, const json& value) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name == "data" || !std::ranges::all_of(name, allowed))
    refuse("\"", name, "\" is not an attribute name; it may only have a-z and 0-9, and \"data\" is none");
  if (value.is_string()) return check_text(name, value.get_ref<const std::string&>());
  const bool integer = value.is_number_unsigned()
                           ? std::in_range<std::int32_t>(value.get<std::uint64_t>())
                           : value.is_number_integer() && std::in_range<std::int32_t>(value.get<std::int64_t>());
  if (!integer && !value.is_boolean())
    refuse("the attribute ", name, " is neither a string nor a boolean nor an integer of 32 bits");
}

/// Empty, if it is not set.
std::string text_attribute(const json& attributes, const char* name) {
  const auto found = attributes.find(name);
  if (found == attributes.end()) return {};
  if (!found->is_string() || found->get_ref<const std::string&>().empty())
    refuse("the attribute ", name, " is not a string with at least one character");
  return *found;
}

std::string required_attribute(const json& attributes, const char* name) {
  if (!attributes.contains(name)) refuse("the required attribute ", name, " is missing");
  return text_attribute(attributes, name);
}

/// Checks the attributes and makes an event of them that has no data yet.
received_event event_of(json attributes, received_event::content_mode mode) {
  received_event event;
  event.specversion = required_attribute(attributes, "specversion");
  if (event.specversion != "1.0") refuse("the specversion is \"", event.specversion, "\", only \"1.0\" is understood");
  event.id = required_attribute(attributes, "id");
  event.source = required_attribute(attributes, "source");
  event.type = required_attribute(attributes, "type");
  event.time = text_attribute(attributes, "time");
  if (!event.time.empty() && !is_timestamp(event.time))
    refuse("the time \"", event.time, "\" is not written like 2026-01-31T23:59:59.123Z (RFC 3339)");
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

received_event decode_structured(std::string_view body) {
  auto envelope = parse_json(body);
  if (!envelope.is_object()) refuse("the body is JSON but not an object");
  auto data = cut_member(envelope, "data");
  auto bytes = cut_member(envelope, "data_base64");
  if (bytes && bytes->is_null()) bytes.reset();
  for (auto member = envelope.begin(); member != envelope.end();)
    member = member->is_null() ? envelope.erase(member) : std::next(member);

  auto event = event_of(std::move(envelope), received_event::content_mode::structured);
  if (data && bytes) refuse("there is both data and data_base64");
  if (bytes) {
    if (!bytes->is_string() || !is_base64(bytes->get_ref<const std::string&>())) refuse("data_base64 is not base64");
    event.kind = received_event::data_kind::bytes;
    event.data = std::move(*bytes);
  } else if (data) {
    const bool plain = event.datacontenttype.empty() || is_json(media_type(event.datacontenttype));
    if (!plain && !data->is_string())
      refuse("data has to be a string, because datacontenttype is ", event.datacontenttype);
    event.kind = plain ? received_event::data_kind::json : received_event::data_kind::text;
    event.data = std::move(*data);
  }
  return event;
}

received_event decode_binary(const http_headers& headers, std::string_view content_type, std::string_view body) {
  constexpr std::string_view prefix = "ce-";
  auto attributes = json::object();
  for (auto header = headers.lower_bound(prefix); header != headers.end() && header->first.starts_with(prefix);
       ++header) {
    const auto name = header->first.substr(prefix.size());
    attributes[name] = decode_header(name, header->second);
  }
  if (attributes.empty())
    refuse("this is not a CloudEvent: the Content-Type is \"", content_type,
           "\" instead of application/cloudevents+json, and there are no ce- headers");
  if (attributes.contains("datacontenttype"))
    refuse("there is a header ce-datacontenttype; in binary mode Content-Type takes its place");
  if (!content_type.empty()) attributes["datacontenttype"] = content_type;

  auto event = event_of(std::move(attributes), received_event::content_mode::binary);
  const auto type = media_type(content_type);
  if (body.empty() && (type.empty() || is_json(type))) return event;
  if (is_json(type)) {
    event.kind = received_event::data_kind::json;
    event.data = parse_json(body);
  } else if (is_text(type) && is_utf8(body)) {
    event.kind = received_event::data_kind::text;
    event.data = body;
  } else {
    event.kind = received_event::data_kind::bytes;
    event.data = encode_base64(body);
  }
  return event;
}

} // namespace

received_event decode_cloud_event(const http_headers& headers, std::string_view body) {
  const auto found = headers.find("content-type");
  const auto content_type = found == headers.end() ? std::string_view{} : found->second;
  const auto type = media_type(content_type);
  if (type == "application/cloudevents+json") return decode_structured(body);
  if (type.starts_with("application/cloudevents"))
    refuse("the Content-Type ", type, " is not understood; send one event as application/cloudevents+json");
  return decode_binary(headers, content_type, body);
}

} // namespace romancy::cli
