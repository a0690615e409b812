#include "cli/relay_flags.hpp"

#include "cli/duration.hpp"

namespace romancy::cli {

relay_flags::relay_flags(CLI::App& app) {
  app.add_option("--broker-url", options_.broker_url, "Where events are POSTed as CloudEvents")
      ->envname("ROMANCY_BROKER_URL")
      ->required();
  app.add_option("--poll-interval", poll_interval_, "How often to look, and the distance between attempts: 500ms, 2s")
      ->capture_default_str();
  app.add_option("--max-retries", options_.max_retries, "Attempts before an event is failed")->capture_default_str();
  app.add_option("--batch-size", options_.batch_size, "Events claimed at once")->capture_default_str();
  app.add_option("--max-age-hours", options_.max_age_hours, "Older events expire; 0: never")->capture_default_str();
  app.add_option("--request-timeout", request_timeout_, "How long one request may take")->capture_default_str();
  app.add_option("--max-in-flight", options_.max_in_flight, "Requests on the wire at once")->capture_default_str();
  app.add_flag("--binary", binary_, "CloudEvents in binary instead of structured mode");
}

outbox_options relay_flags::options() const {
  auto options = options_;
  options.enabled = true;
  options.poll_interval = parse_duration(poll_interval_);
  options.request_timeout = parse_duration(request_timeout_);
  if (binary_) options.mode = content_mode::binary;
  return options;
}

void add_database_timeout_flag(CLI::App& app, std::string& timeout) {
  app.add_option("--database-timeout", timeout, "How long to wait for a database that is locked or away")
      ->capture_default_str();
}

void add_database_flag(CLI::App& app, std::string& database) {
  app.add_option("--database", database,
                 "sqlite3://path, a plain path, postgresql://user:password@host/name or mysql://user:password@host/name")
      ->envname("ROMANCY_DATABASE_URL")
      ->required();
}

} // namespace romancy::cli
