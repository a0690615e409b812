#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <romancy/error.hpp>

#include "storage/database.hpp"
#include "storage/migrations.hpp"

namespace romancy::cli {

/// The database that a command works on. It must be there, with the schema of this program: nothing is made or migrated.
/// @throws startup_error
inline std::unique_ptr<database> open_database(const std::string& text) {
  const auto url = database_url::parse(text);
  if (url.is_file() && !std::filesystem::exists(url.path))
    throw startup_error{"database '" + url.shown + "' does not exist: check the path, or make it with romancy migrate"};
  auto db = database::open(url, {.busy_timeout = std::chrono::seconds{30}}, std::chrono::seconds{30});
  try {
    migrations::check(*db);
  } catch (const startup_error& e) {
    throw startup_error{"database '" + url.shown + "': " + e.what()};
  }
  return db;
}

} // namespace romancy::cli
