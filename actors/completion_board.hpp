#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "messages/instance_record.hpp"

namespace romancy {

/// Where threads of the service wait for instances that end in this process. Thread-safe.
class completion_board {
public:
  /// Tells all who wait for this instance.
  void settled(const instance_record& instance) {
    const std::lock_guard lock{mutex_};
    const auto found = waiting_.find(instance.instance_id);
    if (found == waiting_.end()) return;
    for (auto* one : found->second) {
      one->result_ = instance;
      one->changed_.notify_one();
    }
  }
  /// Nobody waits any longer.
  void close() {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    for (auto& [id, waiters] : waiting_)
      for (auto* one : waiters) one->changed_.notify_one();
  }

  /// One thread that waits. Begin to wait, then look into the database, then call `wait_until`: what ends in between is
  /// not missed.
  class waiter {
  public:
    waiter(completion_board& board, const std::string& instance_id) : board_{board}, id_{instance_id} {
      const std::lock_guard lock{board_.mutex_};
      board_.waiting_[id_].push_back(this);
    }
    ~waiter() {
      const std::lock_guard lock{board_.mutex_};
      auto& all = board_.waiting_[id_];
      std::erase(all, this);
      if (all.empty()) board_.waiting_.erase(id_);
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;

    /// Nothing when `deadline` passed first, or the board is closed.
    std::optional<instance_record> wait_until(std::chrono::steady_clock::time_point deadline) {
      std::unique_lock lock{board_.mutex_};
      changed_.wait_until(lock, deadline, [&] { return result_.has_value() || board_.closed_; });
      return result_;
    }
    bool closed() const {
      const std::lock_guard lock{board_.mutex_};
      return board_.closed_;
    }

  private:
    friend completion_board;
    completion_board& board_;
    std::string id_;
    std::condition_variable changed_; ///< of its own: an instance that ends wakes nobody else
    std::optional<instance_record> result_;
  };

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<waiter*>> waiting_;
  bool closed_ = false;
};

} // namespace romancy
