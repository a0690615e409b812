#include "storage/json_path.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include <romancy/error.hpp>

namespace romancy {

namespace {

constexpr std::size_t max_steps = 30; // MariaDB reads no deeper than 32 levels
constexpr std::size_t max_digits = 6;

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  const auto shown = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  throw query_error{"the path " + shown + ' ' + why + R"(: write it like $[0].order_id or $[1].items[0]."unit price")"};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// In a name without quotes.
bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '-' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_utf8(std::string_view text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

std::size_t length_of_index(std::string_view rest, std::string_view text) {
  const auto end = rest.find(']');
  if (end == std::string_view::npos) refuse(text, "has a '[' without a ']'");
  const auto digits = rest.substr(1, end - 1);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit))
    refuse(text, "has an index that is no number from 0");
  if (digits.size() > max_digits) refuse(text, "has an index with more than 6 digits");
  if (digits.size() > 1 && digits.front() == '0') refuse(text, "has an index that begins with 0");
  return end + 1;
}

/// Of the name at the beginning of `rest`, and of its quotes.
std::size_t length_of_name(std::string_view rest, std::string_view text) {
  if (!rest.starts_with('"'))
    return static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_plain) - rest.begin());
  const auto end = rest.find('"', 1);
  if (end == std::string_view::npos) refuse(text, "has a name without a '\"' at its end");
  for (const char c : rest.substr(1, end - 1))
    if (c == '\\' || static_cast<unsigned char>(c) < 0x20)
      refuse(text, "has a name with a '\\' or a control character, which cannot be looked for");
  return end + 1;
}

} // namespace

json_path json_path::parse(std::string_view text) {
  if (!is_utf8(text)) refuse(text, "is no UTF-8");
  if (!text.starts_with('$')) refuse(text, "does not begin with '$'");
  json_path path;
  for (auto rest = text.substr(1); !rest.empty();) {
    std::size_t length = 0;
    if (rest.front() == '[') {
      length = length_of_index(rest, text);
      path.steps_.emplace_back(rest.substr(0, length));
    } else if (rest.front() == '.') {
      rest.remove_prefix(1);
      length = length_of_name(rest, text);
      auto name = rest.substr(0, length);
      if (name.starts_with('"')) name = name.substr(1, name.size() - 2);
      if (name.empty()) refuse(text, "has an empty name, or one that needs quotes");
      path.steps_.push_back(".\"" + std::string{name} + '"');
    } else {
      refuse(text, "has something else than '.' or '[' before a step");
    }
    rest.remove_prefix(length);
  }
  if (path.steps_.empty() || !path.is_index(0))
    refuse(text, "does not begin with the number of a parameter of the workflow, $[0] for the first");
  if (path.steps_.size() > max_steps) refuse(text, "has more than 30 steps");
  return path;
}

std::string json_path::text(std::size_t steps) const {
  std::string all = "$";
  for (std::size_t i = 0; i < steps; ++i) all += steps_[i];
  return all;
}

} // namespace romancy
