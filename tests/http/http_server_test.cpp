#include "runtime/http_server.hpp"

#include <future>
#include <thread>

#include <romancy/error.hpp>

#include "tests/http/http_server_fixture.hpp"
#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

// Stopping.

TEST_F(HttpServer, FinishesWhatIsUnderWayWhenItStops) {
  service_->close_gate();
  start();
  auto idle = connect();
  EXPECT_EQ(idle.ask(request("GET /health/live")).status, 200);
  auto handled = connect();
  handled.send(post("1"));
  service_->wait_for_calls(1);
  auto being_read = connect();
  const auto second = post("2");
  // The server has read this once it asks for the rest.
  being_read.send("POST /events HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n" + structured +
                  "Content-Length: " + std::to_string(event("2").dump().size()) + "\r\n\r\n");
  EXPECT_EQ(being_read.receive().status, 100);

  auto stopped = std::async(std::launch::async, [&] { return server_->stop(20s); });
  EXPECT_TRUE(idle.is_closed());
  EXPECT_THROW(connect(), std::runtime_error);
  being_read.send(event("2").dump());
  service_->wait_for_calls(2);
  service_->open_gate();
  for (auto* client : {&handled, &being_read}) {
    const auto answer = client->receive();
    EXPECT_EQ(answer.status, 202);
    EXPECT_TRUE(answer.has("Connection: close\r\n"));
    EXPECT_TRUE(client->is_closed());
  }
  EXPECT_EQ(stopped.get(), 0);
  EXPECT_EQ(service_->events().size(), 2U);
}

TEST_F(HttpServer, StopsInTimeThoughTheServiceDoesNotReturn) {
  service_->close_gate();
  start();
  auto client = connect();
  client.send(post("1"));
  service_->wait_for_calls(1);
  const auto begin = steady::now();
  EXPECT_EQ(server_->stop(50ms), 1);
  EXPECT_LT(steady::now() - begin, 10s);
  server_.reset();
  EXPECT_TRUE(client.is_closed());
  service_->open_gate(); // the thread that was left behind ends, with the service that it keeps
  while (service_.use_count() > 1) std::this_thread::yield();
}

TEST_F(HttpServer, StopsAtOnceWithoutRequests) {
  start();
  auto client = connect();
  EXPECT_EQ(client.ask(post("1")).status, 202);
  EXPECT_EQ(server_->stop(1h), 0);
  EXPECT_EQ(server_->stop(1h), 0);
  EXPECT_TRUE(client.is_closed());
}

// Starting.

TEST_F(HttpServer, SaysWhichPortIsTaken) {
  start();
  const auto port = std::to_string(server_->port());
  EXPECT_EQ(testing::refusal<startup_error>([&] {
              http_server{{.port = server_->port()}, service_};
            }),
            "cannot listen on 127.0.0.1 port " + port +
                ": Address already in use; choose another http_options::port, or 0 for any that is free");
}

TEST_F(HttpServer, ListensOnAllAddressesWhenToldTo) {
  start({.address = "0.0.0.0", .bearer_token = "x"});
  EXPECT_EQ(ask(request("GET /health/live")).status, 200);
}

TEST_F(HttpServer, RefusesOptionsByName) {
  const auto refused = [&](const http_options& options) {
    return testing::refusal<startup_error>([&] { http_server{options, service_}; });
  };
  EXPECT_EQ(refused({.address = "localhost"}),
            "http_options::address is 'localhost', which is not an IP address: use 127.0.0.1, ::1, 0.0.0.0 or ::, or one "
            "of this host");
  const auto token = refused({.bearer_token = "my secret"});
  EXPECT_NE(token.find("http_options::bearer_token"), std::string::npos);
  EXPECT_EQ(token.find("my secret"), std::string::npos);
  EXPECT_EQ(refused({.max_body_bytes = 0}), "http_options::max_body_bytes is 0: give it 1 to 1073741824");
  EXPECT_NE(refused({.max_header_bytes = 10}).find("max_header_bytes"), std::string::npos);
  EXPECT_EQ(refused({.request_timeout = 0ms}), "http_options::request_timeout is 0 ms: give it 1 ms to 3600000 ms");
  EXPECT_NE(refused({.idle_timeout = -1ms}).find("idle_timeout"), std::string::npos);
  EXPECT_NE(refused({.max_connections = 0}).find("max_connections"), std::string::npos);
  EXPECT_NE(refused({.max_batch = 0}).find("max_batch"), std::string::npos);
  EXPECT_NE(refused({.handlers = 0}).find("handlers"), std::string::npos);
  EXPECT_NE(refused({.max_backlog = -1}).find("max_backlog"), std::string::npos);
}

} // namespace
} // namespace romancy::testing
