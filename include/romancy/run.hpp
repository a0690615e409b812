#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <romancy/detail/ports.hpp>

namespace romancy {

/// The caller's handle to an instance. Copyable, thread-safe; keeps the app's runtime alive, but not running.
template <class Out> class run {
public:
  run(std::shared_ptr<detail::runtime> runtime, std::string id) : runtime_{std::move(runtime)}, id_{std::move(id)} {}

  const std::string& id() const noexcept { return id_; }
  instance_status status() const { return runtime_->status(id_); }

  /// The same as app::cancel.
  bool cancel(const std::string& reason = {}, const std::string& author = {}) const {
    return runtime_->cancel(id_, reason, author);
  }

  /// Blocks until the instance has ended and returns its output, whichever process ran it. Waits through a database that
  /// is locked or away. @throws instance_failed when it failed, was cancelled or parked; error when the app is shut down
  /// meanwhile.
  Out result() const { return decode(runtime_->result(id_, std::nullopt)); }
  /// The same. @throws error when `timeout` passes first; the instance goes on.
  Out result(std::chrono::milliseconds timeout) const { return decode(runtime_->result(id_, timeout)); }

private:
  static Out decode(const nlohmann::json& encoded) {
    if constexpr (!std::is_void_v<Out>) try {
        return encoded.template get<Out>();
      } catch (const nlohmann::json::exception& e) {
        throw error{std::string{"the instance's output does not fit today's type: "} + e.what()};
      }
    else
      static_cast<void>(encoded);
  }
  std::shared_ptr<detail::runtime> runtime_;
  std::string id_;
};

} // namespace romancy
