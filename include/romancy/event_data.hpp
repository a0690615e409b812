#pragma once

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <romancy/detail/json_depth.hpp>

namespace romancy {

enum class data_form { json, text, bytes };

/// The data of an event that is not plain JSON: text of another kind, or bytes.
///
///     send_event_transactional(ctx, "invoice.issued", "billing", event_data::text("<invoice/>", "application/xml"));
///     send_event_transactional(ctx, "label.printed", "shipping", event_data::bytes(png, "image/png"));
///
/// On the wire: in structured mode text is a JSON string and bytes are `data_base64`; in binary mode both are the body
/// as they are (CloudEvents JSON format 1.0, section 3.1; HTTP binding 1.0, section 3.1).
class event_data {
public:
  /// @throws payload_error if it is nested deeper than 512 levels.
  static event_data of_json(const nlohmann::json& value, std::string content_type = "application/json") {
    detail::check_depth(value, "the JSON data of an event");
    return {data_form::json, value, {}, std::move(content_type)};
  }
  /// `text` is UTF-8.
  static event_data text(std::string text, std::string content_type = "text/plain") {
    return {data_form::text, {}, std::move(text), std::move(content_type)};
  }
  static event_data bytes(std::string bytes, std::string content_type = "application/octet-stream") {
    return {data_form::bytes, {}, std::move(bytes), std::move(content_type)};
  }

  data_form form() const noexcept { return form_; }
  const nlohmann::json& value() const noexcept { return value_; } ///< data_form::json
  const std::string& body() const noexcept { return body_; }      ///< data_form::text, data_form::bytes
  const std::string& content_type() const noexcept { return content_type_; }

private:
  event_data(data_form form, nlohmann::json value, std::string body, std::string content_type)
      : form_{form}, value_(std::move(value)), body_{std::move(body)}, content_type_{std::move(content_type)} {}

  data_form form_;
  nlohmann::json value_;
  std::string body_;
  std::string content_type_;
};

} // namespace romancy
