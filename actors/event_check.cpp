#include "actors/event_check.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include <romancy/error.hpp>

#include "actors/base64.hpp"
#include "actors/payload_text.hpp"

namespace romancy {

namespace {

constexpr std::size_t max_content_type = 100;

std::string shown(const std::string& text) {
  std::string visible;
  for (const char c : text.substr(0, 60)) visible += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return '\'' + visible + '\'';
}

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

/// What CloudEvents 1.0, section 3.1 ("String"), keeps out of attributes: C0 and C1 controls, DEL and noncharacters.
/// @pre is_utf8(text)
bool has_control(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t point = length == 1 ? lead : lead & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
    if (point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0xfdd0 && point <= 0xfdef) ||
        (point & 0xfffe) == 0xfffe)
      return true;
    i += length;
  }
  return false;
}

/// CloudEvents 1.0, section 3.1.1 (attribute names) and 3.1 (types of values).
void check_attribute(const std::string& name, const nlohmann::json& value, const std::string& event) {
  const auto what = event + " has the attribute '" + name + "': ";
  static const std::string reserved[] = {"id", "source", "type", "specversion", "time", "datacontenttype", "data"};
  if (std::find(std::begin(reserved), std::end(reserved), name) != std::end(reserved))
    throw payload_error{what + "Romancy sets it itself: use the arguments of send_event_transactional and event_options"};
  if (name.empty() || name.size() > 20 ||
      !std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }))
    throw payload_error{what + "a name is 1 to 20 of a-z and 0-9"};
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (text.empty() || !is_utf8(text) || has_control(text))
      throw payload_error{what + "its value must be UTF-8 without control characters, and not empty"};
  } else if (value.is_number_integer()) {
    const bool fits = value.is_number_unsigned() ? value.get<std::uint64_t>() <= std::numeric_limits<std::int32_t>::max()
                                                 : value.get<std::int64_t>() >= std::numeric_limits<std::int32_t>::min();
    if (!fits) throw payload_error{what + "integers have 32 bits: pass it as a string"};
  } else if (!value.is_boolean()) {
    throw payload_error{what + "its value must be a string, a boolean or a 32-bit integer"};
  }
}

} // namespace

void check_name(const std::string& text, const std::string& what, std::size_t longest) {
  if (text.empty()) throw payload_error{what + " is empty: give it a value"};
  if (text.size() > longest)
    throw payload_error{what + ' ' + shown(text) + "… has " + std::to_string(text.size()) + " bytes, at most " +
                        std::to_string(longest) + " are kept: shorten it"};
  if (!is_utf8(text)) throw payload_error{what + ' ' + shown(text) + " is not UTF-8: encode it"};
  if (has_control(text)) throw payload_error{what + ' ' + shown(text) + " has control characters: remove them"};
}

cancel_request checked_cancel(const std::string& instance_id, const std::string& reason, const std::string& author) {
  if (!author.empty()) check_name(author, "who cancels instance " + instance_id);
  if (reason.empty()) return {instance_id, "no reason was given", author};
  check_name(reason, "the reason to cancel instance " + instance_id, 4096);
  return {instance_id, reason, author};
}

event_record checked(const detail::outgoing_event& event, const std::string& default_source, std::size_t max_bytes) {
  event_record record;
  record.type = event.type;
  check_name(record.type, "the type of an event");
  const auto name = "event " + shown(record.type);
  record.source = event.source.empty() ? default_source : event.source;
  check_name(record.source, "the source of " + name);
  if (record.source.find(' ') != std::string::npos)
    throw payload_error{"the source " + shown(record.source) + " of " + name +
                        " has a space: it is a URI reference (write %20)"};
  record.id = event.options.id();
  if (!record.id.empty()) check_name(record.id, "the id of " + name);
  record.content_type = event.options.content_type().empty() ? event.data.content_type() : event.options.content_type();
  check_name(record.content_type, "the content type of " + name);
  if (record.content_type.size() > max_content_type)
    throw payload_error{"the content type " + shown(record.content_type) + "… of " + name +
                        " is longer than 100 bytes: shorten it"};
  for (const auto& [attribute, value] : event.options.attributes().items()) check_attribute(attribute, value, name);
  if (!event.options.attributes().empty()) record.attributes = event.options.attributes().dump();

  const auto data = "the data of " + name;
  switch (event.data.form()) {
    case data_form::json: record.data = payload_text(event.data.value(), data, max_bytes); break;
    case data_form::text:
      check_size(event.data.body().size(), data, max_bytes);
      if (!is_utf8(event.data.body()))
        throw payload_error{data + " is not UTF-8: encode it, or send it as event_data::bytes"};
      record.data_encoding = "text";
      record.data = event.data.body();
      break;
    case data_form::bytes:
      check_size(event.data.body().size(), data, max_bytes);
      record.data_encoding = "base64";
      record.data = to_base64(event.data.body());
      break;
  }
  return record;
}

} // namespace romancy
