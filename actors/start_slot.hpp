#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include <romancy/error.hpp>

#include "messages/instance_record.hpp"

namespace romancy {

/// Where a thread of the service waits for its instance to be committed.
class start_slot {
public:
  struct outcome {
    bool created = false;
    instance_record instance;
  };
  void started(outcome result) {
    const std::lock_guard lock{mutex_};
    result_ = std::move(result);
    changed_.notify_one();
  }
  void refused(std::string why) {
    const std::lock_guard lock{mutex_};
    why_not_ = std::move(why);
    changed_.notify_one();
  }
  /// Nothing when `patience` passed first. @throws storage_error when it was refused.
  std::optional<outcome> wait_for(std::chrono::milliseconds patience) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, patience, [&] { return result_ || why_not_; });
    if (why_not_) throw storage_error{*why_not_, true};
    return result_;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<outcome> result_;
  std::optional<std::string> why_not_;
};

} // namespace romancy
