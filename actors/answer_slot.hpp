#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include <romancy/error.hpp>

namespace romancy {

/// Where a thread of the service waits for what became of its request.
template <class Answer> class answer_slot {
public:
  void answered(Answer answer) {
    const std::lock_guard lock{mutex_};
    answer_ = std::move(answer);
    changed_.notify_one();
  }
  /// `retryable`: the same request may succeed later.
  void refused(const std::string& why, bool retryable) {
    const std::lock_guard lock{mutex_};
    why_not_.emplace(why, retryable);
    changed_.notify_one();
  }
  /// Nothing when `patience` passed first. @throws storage_error when it was refused.
  std::optional<Answer> wait_for(std::chrono::milliseconds patience) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, patience, [&] { return answer_ || why_not_; });
    if (why_not_) throw storage_error{*why_not_};
    return answer_;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Answer> answer_;
  std::optional<storage_error> why_not_;
};

} // namespace romancy
