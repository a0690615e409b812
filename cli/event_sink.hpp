#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "cli/answer_script.hpp"
#include "messages/cloud_event.hpp"

namespace romancy::cli {

struct event_sink_options {
  /// Where to listen on 127.0.0.1; 0: any free port.
  std::uint16_t port = 0;
  /// How received events are answered. Requests that are refused (below) use up nothing of it.
  answer_script script{};
  /// How long each answer waits after its request was read.
  std::chrono::milliseconds delay{0};
  /// Called on the sink's thread for each received event, before it is answered: whoever sees the answer can rely on the
  /// call having returned. Must not destroy the sink; an exception ends the process.
  std::function<void(const cloud_event&)> on_event{};
};

/// Receives CloudEvents 1.0 over HTTP, for development, tests and benchmarks: any POST to 127.0.0.1, whatever its path,
/// in structured or binary mode, over connections that are kept alive, one after the other on each. Keeps `source` and
/// `id` of what it received, to count the distinct ones.
///
/// Refused, and not received, are with a body {"error": "a sentence"}: what is not a CloudEvent (400), other methods
/// (405), a body over 16 MiB (413), headers over 64 KiB (431). `GET /received` answers {"received": N, "unique": M}.
///
/// Works on a thread of its own from construction to destruction, which closes all connections.
class event_sink {
public:
  static constexpr std::size_t max_body_bytes = 16 * 1024 * 1024;
  static constexpr std::uint32_t max_header_bytes = 64 * 1024;

  /// Listens when it returns.
  /// @throws std::runtime_error if the port cannot be had; it names the port.
  explicit event_sink(event_sink_options options);
  ~event_sink();
  event_sink(const event_sink&) = delete;
  event_sink& operator=(const event_sink&) = delete;

  /// Where it listens. Any thread.
  std::uint16_t port() const noexcept;

private:
  class state;
  std::unique_ptr<state> state_;
};

} // namespace romancy::cli
