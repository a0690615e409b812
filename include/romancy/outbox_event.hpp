#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace romancy {

/// The five statuses of the seed. Stored as text; the words never change.
enum class outbox_status { pending, published, failed, invalid, expired };

constexpr std::string_view to_string(outbox_status status) {
  switch (status) {
    case outbox_status::pending: return "pending";
    case outbox_status::published: return "published";
    case outbox_status::failed: return "failed";
    case outbox_status::invalid: return "invalid";
    case outbox_status::expired: return "expired";
  }
  return "unknown";
}

constexpr std::optional<outbox_status> to_outbox_status(std::string_view text) {
  using enum outbox_status;
  for (auto status : {pending, published, failed, invalid, expired})
    if (to_string(status) == text) return status;
  return std::nullopt;
}

/// A row of `outbox_events`, as read. Times are UTC.
struct outbox_event {
  using time_point = std::chrono::sys_time<std::chrono::microseconds>;

  std::string event_id;
  std::string event_type;
  std::string event_source;
  std::string event_data;    ///< JSON text; text as it is; bytes in base64
  std::string data_encoding; ///< "json", "text" or "base64"
  std::string content_type;
  std::string attributes;  ///< a JSON object: extension attributes, `subject`, `dataschema`
  std::string instance_id; ///< empty: not sent by a workflow
  outbox_status status = outbox_status::pending;
  int retry_count = 0;
  std::string last_error;
  time_point created_at{};
  std::optional<time_point> published_at;
};

} // namespace romancy
