#pragma once

#include <map>
#include <mutex>
#include <string>

#include <romancy/health.hpp>

namespace romancy {

/// What the actors say about themselves, for `app::health()`. Thread-safe.
class health_board {
public:
  void running(const std::string& name) {
    const std::lock_guard lock{mutex_};
    parts_[name].running = true;
  }
  void down(const std::string& name, const std::string& error) {
    const std::lock_guard lock{mutex_};
    auto& part = parts_[name];
    part.running = false;
    ++part.restarts;
    part.last_error = error;
  }
  /// Ended because something before it died; it will be started again.
  void pausing(const std::string& name) {
    const std::lock_guard lock{mutex_};
    parts_[name].running = false;
  }
  void removed(const std::string& name) {
    const std::lock_guard lock{mutex_};
    parts_.erase(name);
  }
  /// Empty: it works again.
  void database(const std::string& error) {
    const std::lock_guard lock{mutex_};
    database_error_ = error;
  }
  romancy::health read() const {
    const std::lock_guard lock{mutex_};
    romancy::health health;
    health.database_error = database_error_;
    health.ok = database_error_.empty() && !parts_.empty();
    for (const auto& [name, part] : parts_) {
      health.parts.push_back(part);
      health.parts.back().name = name;
      health.ok = health.ok && part.running;
    }
    return health;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, romancy::health::part> parts_;
  std::string database_error_;
};

} // namespace romancy
