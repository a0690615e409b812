#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

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
  /// Nothing when `patience` passed first.
  std::optional<outcome> wait_for(std::chrono::milliseconds patience) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, patience, [&] { return result_.has_value(); });
    return result_;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<outcome> result_;
};

} // namespace romancy
