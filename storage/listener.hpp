#pragma once

#include <memory>
#include <set>
#include <string>

#include "storage/database_url.hpp"

namespace romancy {

/// Hears what database::notify() tells of in any process, on a connection of its own. Functions throw storage_failure.
class listener {
public:
  virtual ~listener() = default;
  /// Null where the database has no such thing.
  static std::unique_ptr<listener> open(const database_url& url);

  /// Waits for news; returns its topics, or nothing once stop() was called.
  virtual std::set<std::string> wait() = 0;
  /// From any thread.
  virtual void stop() noexcept = 0;
};

} // namespace romancy
