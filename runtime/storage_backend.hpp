#pragma once

#include <memory>

#include <romancy/error.hpp>

#include "runtime/engine.hpp"
#include "storage/database.hpp"

namespace romancy::detail {

/// What a romancy::storage points to: a database, and the engine that works on it.
class storage_backend {
public:
  explicit storage_backend(std::shared_ptr<engine> owner) : engine_{std::move(owner)} {}

  /// A connection of one's own. @throws startup_error
  std::unique_ptr<database> open() const {
    return database::open(engine_->url(), {}, engine_->options().database_timeout);
  }
  /// Without waiting for a database that is away. @throws storage_error, retryable
  std::unique_ptr<database> open_now() const try {
    return database::open(engine_->url(), {}, std::chrono::milliseconds{0});
  } catch (const startup_error& e) {
    throw storage_error{e.what(), true};
  }
  const std::shared_ptr<engine>& owner() const noexcept { return engine_; }

private:
  std::shared_ptr<engine> engine_;
};

} // namespace romancy::detail
