#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace romancy {

/// How an app listens for events, probes and operators. Checked when it begins to listen, by startup_error.
struct http_options {
  /// An IP address of this host. Others than loopback are reached from outside: set a bearer_token then, and put a proxy
  /// with TLS in front.
  std::string address = "127.0.0.1";
  /// 0: any that is free.
  std::uint16_t port = 0;
  /// What clients have to send as `Authorization: Bearer …`, but for /health. Empty: nothing. Never logged.
  std::string bearer_token{};
  /// Requests with more are answered 413; 1 byte to 1 GiB.
  std::size_t max_body_bytes = 1024 * 1024;
  /// Requests whose request line and headers have more are answered 431; 1 KiB to 1 MiB.
  std::size_t max_header_bytes = 64 * 1024;
  /// Within this time a request has to be here from its first to its last byte, else 408; an answer has to be read; and a
  /// request has to find a thread that handles it, else 503.
  std::chrono::milliseconds request_timeout{10'000};
  /// Connections without a request are closed after it.
  std::chrono::milliseconds idle_timeout{60'000};
  /// Connections at once; more are answered 503 and closed.
  int max_connections = 256;
  /// Events in one batch; larger ones are refused with 413.
  std::size_t max_batch = 1000;
  /// Requests that are handled at once, each on a thread that is made when it is needed.
  int handlers = 16;
  /// /health/ready answers 503 while more than this wait in one of the queues. 0: no limit.
  std::int64_t max_backlog = 0;
};

} // namespace romancy
