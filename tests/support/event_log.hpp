#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cli/event_sink.hpp"

namespace romancy::testing {

/// A broker for tests: an event sink on a free port that remembers what it received.
class event_log {
public:
  explicit event_log(cli::answer_script script = {}, std::chrono::milliseconds delay = {})
      : sink_{{.script = std::move(script), .delay = delay, .on_event = [this](const cloud_event& event) {
                 const std::lock_guard lock{mutex_};
                 events_.push_back(event);
                 changed_.notify_all();
               }}} {}

  std::string url() const { return "http://127.0.0.1:" + std::to_string(sink_.port()) + "/events"; }
  std::vector<cloud_event> events() const {
    const std::lock_guard lock{mutex_};
    return events_;
  }
  std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return events_.size();
  }
  /// False when `patience` passed first.
  bool wait_for(std::size_t count, std::chrono::milliseconds patience) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [&] { return events_.size() >= count; });
  }
  /// Accepted events by id, with how often each came.
  std::map<std::string, int> accepted() const {
    const std::lock_guard lock{mutex_};
    std::map<std::string, int> times;
    for (const auto& event : events_)
      if (event.status >= 200 && event.status < 300) ++times[event.id];
    return times;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<cloud_event> events_;
  cli::event_sink sink_; ///< last: its thread uses what is above
};

} // namespace romancy::testing
