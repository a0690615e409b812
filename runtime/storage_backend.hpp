#pragma once

#include <memory>

#include <romancy/error.hpp>

#include "runtime/engine.hpp"
#include "storage/database.hpp"

namespace romancy::detail {

/// What a romancy::storage points to: a database, and the engine that works on it.
class storage_backend {
public:
  storage_backend(database_url url, std::chrono::milliseconds patience, std::shared_ptr<engine> owner)
      : url_{std::move(url)}, patience_{patience}, engine_{std::move(owner)} {}

  /// A connection of one's own. @throws startup_error
  std::unique_ptr<database> open() const { return database::open(url_, {}, patience_); }
  /// Without waiting for a database that is away. @throws storage_error, retryable
  std::unique_ptr<database> open_now() const try {
    return database::open(url_, {}, std::chrono::milliseconds{0});
  } catch (const startup_error& e) {
    throw storage_error{e.what(), true};
  }
  const database_url& url() const noexcept { return url_; }
  /// Null: of a scenario.
  const std::shared_ptr<engine>& owner() const noexcept { return engine_; }

private:
  database_url url_;
  std::chrono::milliseconds patience_;
  std::shared_ptr<engine> engine_;
};

} // namespace romancy::detail
