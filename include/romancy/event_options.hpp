#pragma once

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace romancy {

/// What an event may say beyond type, source and data. Built fluently:
///
///     event_options{}.id(invoice_number).attribute("partitionkey", customer).attribute("subject", order_id)
class event_options {
public:
  event_options() = default;

  /// The CloudEvents `id`, at most 255 bytes; without it a new UUID (in a workflow body: an id derived from instance and
  /// step). An id that the outbox already holds, whatever its source, fails the attempt.
  event_options& id(std::string value) { return id_ = std::move(value), *this; }
  /// `datacontenttype`; default `application/json`, or what event_data says.
  event_options& content_type(std::string value) { return content_type_ = std::move(value), *this; }
  /// An extension attribute, or `subject` or `dataschema`. Names are 1 to 20 of a-z and 0-9 (CloudEvents 1.0, section
  /// 3.1.1); values are strings, booleans or 32-bit integers. Anything else throws payload_error when the event is sent.
  event_options& attribute(const std::string& name, nlohmann::json value) {
    return attributes_[name] = std::move(value), *this;
  }

  const std::string& id() const noexcept { return id_; }
  const std::string& content_type() const noexcept { return content_type_; }
  const nlohmann::json& attributes() const noexcept { return attributes_; }

private:
  std::string id_;
  std::string content_type_;
  nlohmann::json attributes_ = nlohmann::json::object();
};

} // namespace romancy
