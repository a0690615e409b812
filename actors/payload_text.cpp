#include "actors/payload_text.hpp"

#include <cmath>

#include <romancy/detail/json_depth.hpp>
#include <romancy/error.hpp>

namespace romancy {

std::string storable(std::string message) {
  constexpr std::size_t longest = 4096;
  if (message.size() > longest) message = message.substr(0, longest) + " …";
  using nlohmann::json;
  return json::parse(json(std::move(message)).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

void check_size(std::size_t bytes, const std::string& what, std::size_t max_bytes) {
  if (bytes > max_bytes)
    throw payload_error{
        what + " has " + std::to_string(bytes) + " bytes, more than the " + std::to_string(max_bytes) +
        " of app_options::max_payload_bytes: store it elsewhere and pass a reference, or raise the limit"};
}

std::string payload_text(const nlohmann::json& value, const std::string& what, std::size_t max_bytes) {
  detail::for_each_value(value, what, [&](const nlohmann::json& part) {
    if (part.is_number_float() && !std::isfinite(part.get<double>()))
      throw payload_error{what + " holds NaN or infinity, which JSON cannot keep: use std::optional, or text"};
  });
  std::string text;
  try {
    text = value.dump();
  } catch (const nlohmann::json::exception& e) {
    throw payload_error{what + " holds text that is not UTF-8: encode it, or send it as event_data::bytes (" + e.what() +
                        ")"};
  }
  check_size(text.size(), what, max_bytes);
  return text;
}

} // namespace romancy
