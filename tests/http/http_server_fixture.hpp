#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "runtime/http_server.hpp"
#include "tests/http/fake_service.hpp"
#include "tests/http/raw_client.hpp"

namespace romancy::testing {

using namespace std::chrono_literals;
using nlohmann::json;
using steady = std::chrono::steady_clock;

inline const std::string structured = "Content-Type: application/cloudevents+json\r\n";
inline const std::string batched = "Content-Type: application/cloudevents-batch+json\r\n";

inline json event(const std::string& id) {
  return {{"specversion", "1.0"}, {"id", id}, {"source", "/orders"}, {"type", "order.created"}, {"data", 1}};
}

/// A whole request; each header with its line end.
inline std::string request(const std::string& line, const std::string& headers = "", const std::string& body = "") {
  return line + " HTTP/1.1\r\nHost: localhost\r\n" + headers +
         (body.empty() && line.starts_with("GET") ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
         "\r\n" + body;
}

inline std::string post(const std::string& id, const std::string& headers = "") {
  return request("POST /events", structured + headers, event(id).dump());
}

/// A server over real sockets, before a service that the test plays.
class HttpServer : public ::testing::Test {
protected:
  void start(http_options options = {}) { server_.emplace(std::move(options), service_); }
  raw_client connect() const { return raw_client{server_->port()}; }
  /// Over a connection of its own.
  raw_answer ask(const std::string& bytes) const {
    auto client = connect();
    return client.ask(bytes);
  }
  void expect_refusal(const std::string& bytes, int status, const std::string& error_type) const {
    const auto answer = ask(bytes);
    EXPECT_EQ(answer.status, status) << bytes.substr(0, 200);
    if (answer.status == 0) return;
    EXPECT_EQ(answer.error_type(), error_type) << answer.body;
    EXPECT_FALSE(answer.error().empty());
    EXPECT_TRUE(answer.has("Content-Type: application/json"));
    EXPECT_FALSE(answer.retryable()) << answer.body;
  }

  const std::shared_ptr<fake_service> service_ = std::make_shared<fake_service>();
  std::optional<http_server> server_;
};

} // namespace romancy::testing
