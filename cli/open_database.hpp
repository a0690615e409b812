#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <romancy/error.hpp>

#include "storage/database.hpp"
#include "storage/migrations.hpp"

namespace romancy::cli {

/// Runs `action`, whose errors get the name of the database.
template <class Action> auto naming(const database_url& url, Action action) {
  try {
    return action();
  } catch (const error& e) {
    throw startup_error{"database '" + url.shown + "': " + e.what()};
  }
}

/// Whatever its schema is; a file that is not there is made. @throws startup_error
inline std::unique_ptr<database> open_unchecked(const database_url& url) {
  return database::open(url, {.busy_timeout = std::chrono::seconds{30}}, std::chrono::seconds{30});
}

[[noreturn]] inline void refuse_missing(const database_url& url) {
  throw startup_error{"database '" + url.shown + "' does not exist: check the path, or make it with romancy migrate"};
}

/// The database that a command works on. It must be there, with the schema of this program: nothing is made or migrated.
/// @throws startup_error
inline std::unique_ptr<database> open_database(const std::string& text) {
  const auto url = database_url::parse(text);
  if (url.is_file() && !std::filesystem::exists(url.path)) refuse_missing(url);
  auto db = open_unchecked(url);
  naming(url, [&] { migrations::check(*db); });
  return db;
}

} // namespace romancy::cli
