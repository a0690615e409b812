#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>

#include <romancy/error.hpp>
#include <romancy/isolation_level.hpp>

#include "storage/database.hpp"

namespace romancy {

/// The right to use a coordinator's session, for one attempt. Travels in messages as a pointer; there is one at a time.
/// Dropping it without giving it back tells the coordinator, which then rolls back.
class session_lease {
public:
  session_lease(std::shared_ptr<database> db, caf::actor_addr owner, std::function<void()> dropped)
      : db_{std::move(db)}, owner_{std::move(owner)}, dropped_{std::move(dropped)} {}
  ~session_lease() {
    if (dropped_) dropped_();
  }
  session_lease(const session_lease&) = delete;
  session_lease& operator=(const session_lease&) = delete;

  database& db() noexcept { return *db_; }
  /// The coordinator that it is given back to; null if that has ended.
  caf::strong_actor_ptr owner() const { return caf::actor_cast<caf::strong_actor_ptr>(owner_); }
  /// The coordinator has it back.
  void returned() noexcept { dropped_ = nullptr; }

private:
  std::shared_ptr<database> db_;
  caf::actor_addr owner_;
  std::function<void()> dropped_;
};
using lease_ptr = std::shared_ptr<session_lease>;

/// Where an executor's thread waits for a lease.
class lease_slot {
public:
  void grant(lease_ptr lease) {
    const std::lock_guard lock{mutex_};
    if (abandoned_) return; // the lease is dropped, and so given back
    lease_ = std::move(lease);
    changed_.notify_one();
  }
  /// Of no effect once it is granted.
  void refuse(std::string why) {
    const std::lock_guard lock{mutex_};
    why_not_ = std::move(why);
    changed_.notify_one();
  }
  bool abandoned() const {
    const std::lock_guard lock{mutex_};
    return abandoned_;
  }
  /// With `pump` it works instead of waiting. @throws storage_error when none comes in time.
  lease_ptr wait(std::chrono::milliseconds patience, const std::function<bool(std::chrono::milliseconds&)>& pump) {
    std::unique_lock lock{mutex_};
    const auto done = [&] { return lease_ || why_not_; };
    if (pump) {
      for (auto left = patience; !done();) {
        lock.unlock();
        const bool worked = pump(left);
        lock.lock();
        if (!worked) break;
      }
    } else {
      changed_.wait_for(lock, patience, done);
    }
    if (!done()) why_not_ = "none became free within " + std::to_string(patience.count()) + " ms";
    if (lease_) return std::exchange(lease_, nullptr);
    abandoned_ = true;
    throw storage_error{"no database session: " + *why_not_, true};
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  lease_ptr lease_;
  std::optional<std::string> why_not_;
  bool abandoned_ = false;
};

/// A borrower's place in the queue, wherever it lies: in a mailbox, or with the coordinator. Whatever throws it away
/// tells the borrower.
class session_request {
public:
  session_request(std::shared_ptr<lease_slot> slot, std::string borrower, isolation_level isolation)
      : slot_{std::move(slot)}, borrower_{std::move(borrower)}, isolation_{isolation} {}
  ~session_request() { slot_->refuse("the coordinator ended"); }
  session_request(const session_request&) = delete;
  session_request& operator=(const session_request&) = delete;

  lease_slot& slot() const noexcept { return *slot_; }
  const std::string& borrower() const noexcept { return borrower_; } ///< for the log: "create_order:1 of ORD-1"
  isolation_level isolation() const noexcept { return isolation_; }

private:
  std::shared_ptr<lease_slot> slot_;
  std::string borrower_;
  isolation_level isolation_;
};

} // namespace romancy
