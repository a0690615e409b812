#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <romancy/error.hpp>

#include "storage/database.hpp"
#include "storage/migrations.hpp"

namespace romancy::cli {

/// The database that a command looks at, its schema up to date. It must be there: a mistyped path makes no database.
/// @throws startup_error
inline std::unique_ptr<database> open_migrated(const std::string& text) {
  const auto url = database_url::parse(text);
  if (!std::filesystem::exists(url.path))
    throw startup_error{"database '" + url.path + "' does not exist: check the path, or make it with romancy migrate"};
  auto db = database::open(url, {}, std::chrono::seconds{30});
  static_cast<void>(migrations::apply(*db));
  return db;
}

} // namespace romancy::cli
