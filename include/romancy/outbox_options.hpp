#pragma once

#include <chrono>
#include <map>
#include <string>

namespace romancy {

/// How an event is laid out in HTTP (CloudEvents HTTP binding 1.0, section 3).
enum class content_mode {
  structured, ///< one JSON document, `application/cloudevents+json`
  binary,     ///< attributes in `ce-` headers, data as the body
};

/// How events leave the outbox. Defaults are the seed's.
struct outbox_options {
  /// Runs a relayer inside the app. Without it events wait in the outbox for a relayer elsewhere.
  bool enabled = false;
  /// Where events are POSTed: http:// or https://. Required when enabled.
  std::string broker_url{};
  /// How often the outbox is looked at when nothing wakes the relayer, and the distance between attempts at one event.
  std::chrono::milliseconds poll_interval{1000};
  /// An event is sent this often at the most; then, at its next turn, its status becomes `failed`.
  int max_retries = 3;
  /// Events claimed from the database at once.
  int batch_size = 10;
  /// Events older than this become `expired` and are never sent; counted from `created_at`. 0: no limit.
  double max_age_hours = 0;
  /// From connecting to the last byte of the answer.
  std::chrono::milliseconds request_timeout{30'000};
  /// Requests on the wire at once, over all batches.
  int max_in_flight = 64;
  content_mode mode = content_mode::structured;
  /// Added to each request, for example {"Authorization", "Bearer …"}. Never logged.
  std::map<std::string, std::string> headers{};
};

} // namespace romancy
