#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include <romancy/outbox_options.hpp>

namespace romancy::cli {

/// The options of a relayer on a command line: --broker-url, --poll-interval, --max-retries, --batch-size,
/// --max-age-hours,
/// --request-timeout, --max-in-flight, --binary. ROMANCY_BROKER_URL stands in for --broker-url.
class relay_flags {
public:
  /// @pre the flags live as long as `app`
  explicit relay_flags(CLI::App& app);
  /// @throws std::invalid_argument that names the flag
  outbox_options options() const;

private:
  outbox_options options_;
  std::string poll_interval_ = "1s";
  std::string request_timeout_ = "30s";
  bool binary_ = false;
};

/// `--database-timeout`, a duration.
void add_database_timeout_flag(CLI::App& app, std::string& timeout);

/// `--database`, with ROMANCY_DATABASE_URL standing in for it.
void add_database_flag(CLI::App& app, std::string& database);

} // namespace romancy::cli
