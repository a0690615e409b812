#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include <romancy/http_options.hpp>

#include "runtime/http_service.hpp"

namespace romancy {

/// Takes CloudEvents, requests to cancel, and questions about instances and health over HTTP/1.1, and asks the service.
/// See docs/guide/http.md for paths, statuses and limits.
///
/// Connections live on a thread of its own that never blocks; the service is called on others, up to
/// http_options::handlers, and for /health/ready on one that is there for nothing else. Requests of one connection are
/// answered one after the other, in order. A request that was read completely gets an answer, whatever the service
/// throws.
class http_server {
public:
  /// Listens when it returns.
  /// @throws startup_error that names the option that is wrong, or the address that cannot be had
  http_server(http_options options, std::shared_ptr<http_service> service);
  /// Stops without waiting, if it has not been stopped.
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Where it listens. Any thread.
  std::uint16_t port() const noexcept;

  /// Listens no more, closes connections without a request, lets the others finish theirs for `patience`, and closes what
  /// is left. A call of the service that still does not return keeps its thread, and the service: it is left behind. Any
  /// thread but those that call the service; later calls do nothing.
  /// @returns how many requests were cut off
  int stop(std::chrono::milliseconds patience) noexcept;

private:
  class state;
  std::unique_ptr<state> state_;
};

} // namespace romancy
