#pragma once

#include <cstdint>
#include <string>

#include "messages/time_point.hpp"

namespace romancy {

/// An event as it lies in the outbox.
struct event_record {
  std::int64_t sequence = 0; ///< given by the database
  std::string id;
  std::string type;
  std::string source;
  std::string data;
  std::string data_encoding = "json"; ///< "json", "text" or "base64"
  std::string content_type = "application/json";
  std::string attributes; ///< a JSON object, or empty
  std::string instance_id;
  std::string activity_id; ///< the step that sent it
  time_point created_at{};
  int retry_count = 0;
  std::string last_error;
  std::string unreadable; ///< not empty: why the row cannot be read
};

} // namespace romancy
