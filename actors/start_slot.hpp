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
  bool done() const {
    const std::lock_guard lock{mutex_};
    return result_ || why_not_;
  }
  /// @throws storage_error. After a timeout the instance may exist or not: starting again with the same id tells.
  outcome wait(std::chrono::milliseconds patience, const std::string& id) {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, patience, [&] { return result_ || why_not_; }))
      throw storage_error{"instance " + id + " is not started after " + std::to_string(patience.count()) +
                              " ms, the database does not answer: start it again with the same id",
                          true};
    if (why_not_) throw storage_error{"instance " + id + " is not started: " + *why_not_, true};
    return std::move(*result_);
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<outcome> result_;
  std::optional<std::string> why_not_;
};

} // namespace romancy
