#pragma once

#include <memory>
#include <string>

#include "storage/database.hpp"
#include "storage/migrations.hpp"

namespace romancy::cli {

/// The database that a command looks at, its schema up to date. @throws startup_error
inline std::unique_ptr<database> open_migrated(const std::string& url) {
  auto db = database::open(database_url::parse(url), {}, std::chrono::seconds{30});
  static_cast<void>(migrations::apply(*db));
  return db;
}

} // namespace romancy::cli
