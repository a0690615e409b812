#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "runtime/http_service.hpp"

namespace romancy::testing {

/// Remembers what it is asked, and answers as the test says.
class fake_service final : public http_service {
public:
  std::optional<refusal> accept(std::vector<cloud_event> events) override {
    {
      std::unique_lock lock{mutex_};
      ++entered_;
      changed_.notify_all();
      changed_.wait(lock, [&] { return !closed_; });
    }
    if (on_accept)
      if (auto refused = on_accept()) return refused;
    const std::lock_guard lock{mutex_};
    for (auto& event : events) events_.push_back(std::move(event));
    ++commits_;
    return std::nullopt;
  }
  cancel_result cancel(const std::string& id, const std::string& reason, const std::string& author) override {
    const std::lock_guard lock{mutex_};
    cancelled_.push_back(id + '|' + reason + '|' + author);
    return id == "ended" ? cancel_result::ended : id == "unknown" ? cancel_result::unknown : cancel_result::accepted;
  }
  std::optional<nlohmann::json> instance(const std::string& id) override {
    if (id == "unknown") return std::nullopt;
    return nlohmann::json{{"id", id}, {"status", "completed"}, {"result", 7}, {"error", nullptr}};
  }
  readiness ready() override { return on_ready ? on_ready() : readiness{.health = {.ok = true}}; }

  /// From now on accept waits until the gate is opened.
  void close_gate() {
    const std::lock_guard lock{mutex_};
    closed_ = true;
  }
  void open_gate() {
    const std::lock_guard lock{mutex_};
    closed_ = false;
    changed_.notify_all();
  }
  /// Waits until so many calls of accept have begun.
  void wait_for_calls(int count) {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return entered_ >= count; }))
      throw std::runtime_error{"the service is not called"};
  }

  std::vector<cloud_event> events() const {
    const std::lock_guard lock{mutex_};
    return events_;
  }
  std::vector<std::string> cancelled() const {
    const std::lock_guard lock{mutex_};
    return cancelled_;
  }
  int calls() const {
    const std::lock_guard lock{mutex_};
    return entered_;
  }
  int commits() const {
    const std::lock_guard lock{mutex_};
    return commits_;
  }

  // Set before the server begins.
  std::function<std::optional<refusal>()> on_accept{};
  std::function<readiness()> on_ready{};

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  int entered_ = 0;
  int commits_ = 0;
  std::vector<cloud_event> events_;
  std::vector<std::string> cancelled_;
};

} // namespace romancy::testing
