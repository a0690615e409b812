#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

#include <caf/actor.hpp>

namespace romancy {

/// The current incarnation of each supervised actor, for those outside who talk to it. Thread-safe.
class roster {
public:
  void put(const std::string& name, caf::actor actor) {
    const std::lock_guard lock{mutex_};
    actors_[name] = std::move(actor);
    changed_.notify_all();
  }
  void erase(const std::string& name) {
    const std::lock_guard lock{mutex_};
    actors_.erase(name);
  }
  /// Null if there is none.
  caf::actor get(const std::string& name) const {
    const std::lock_guard lock{mutex_};
    const auto found = actors_.find(name);
    return found == actors_.end() ? caf::actor{} : found->second;
  }
  /// Waits for it to be (re)started; null after `patience`.
  caf::actor get(const std::string& name, std::chrono::milliseconds patience) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, patience, [&] { return actors_.contains(name); });
    const auto found = actors_.find(name);
    return found == actors_.end() ? caf::actor{} : found->second;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, caf::actor> actors_;
};

} // namespace romancy
