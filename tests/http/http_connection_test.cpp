#include <atomic>
#include <thread>
#include <vector>

#include "tests/http/http_server_fixture.hpp"

namespace romancy::testing {
namespace {

// HTTP.

TEST_F(HttpServer, KeepsAConnectionAndAnswersPipelinedRequestsInOrder) {
  start();
  auto client = connect();
  EXPECT_EQ(client.ask(post("1")).status, 202);
  client.send(post("2") + request("GET /workflows/unknown") + post("3") + request("GET /health/live"));
  EXPECT_EQ(client.receive().status, 202);
  EXPECT_EQ(client.receive().status, 404);
  EXPECT_EQ(client.receive().status, 202);
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(service_->events().size(), 3U);
}

TEST_F(HttpServer, ClosesWhenTheClientWantsIt) {
  start();
  auto client = connect();
  const auto answer = client.ask(post("1", "Connection: close\r\n"));
  EXPECT_EQ(answer.status, 202);
  EXPECT_TRUE(answer.has("Connection: close\r\n"));
  EXPECT_TRUE(client.is_closed());
  auto old = connect();
  EXPECT_EQ(old.ask("GET /health/live HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_TRUE(old.is_closed());
}

TEST_F(HttpServer, TakesChunkedBodies) {
  start();
  const auto body = event("1").dump();
  auto client = connect();
  client.send("POST /events HTTP/1.1\r\nHost: x\r\n" + structured + "Transfer-Encoding: chunked\r\n\r\n5\r\n" +
              body.substr(0, 5) + "\r\n");
  client.send("40\r\n" + body.substr(5, 64) + "\r\n");
  char rest[16];
  std::snprintf(rest, sizeof rest, "%zx\r\n", body.size() - 69);
  EXPECT_EQ(client.ask(rest + body.substr(69) + "\r\n0\r\n\r\n").status, 202);
  EXPECT_EQ(client.ask(post("2")).status, 202);
}

TEST_F(HttpServer, RefusesFramingThatOthersCouldReadDifferently) {
  start();
  const auto with = [](const std::string& headers, const std::string& body = "0\r\n\r\n") {
    return "POST /events HTTP/1.1\r\nHost: x\r\n" + structured + headers + "\r\n" + body;
  };
  expect_refusal(with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400, "invalid_request");
  expect_refusal(with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400, "invalid_request");
  expect_refusal(with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400, "invalid_request");
  expect_refusal(with("Content-Length: +5\r\n"), 400, "invalid_request");
  expect_refusal(with("Content-Length : 5\r\n"), 400, "invalid_request");
  expect_refusal(with("Transfer-Encoding: gzip, chunked\r\n"), 501, "not_implemented");
  expect_refusal(with("Transfer-Encoding: chunked, chunked\r\n"), 501, "not_implemented");
  expect_refusal(with("Transfer-Encoding: identity\r\n"), 501, "not_implemented");
  expect_refusal(with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 501, "not_implemented");
  expect_refusal("POST / HTTP/1.0\r\n" + structured + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
                 "invalid_request");
  expect_refusal("POST / HTTP/1.1\r\n\r\n", 400, "invalid_request");
  expect_refusal("POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "invalid_request");
  expect_refusal("G(T / HTTP/1.1\r\n\r\n", 400, "invalid_request");
  EXPECT_EQ(service_->calls(), 0);
}

TEST_F(HttpServer, ReadsNothingAfterARequestThatItHasRefusedUnread) {
  start();
  for (const auto& [headers, status] : {std::pair<std::string, int>{"Transfer-Encoding: chunked, chunked\r\n", 501},
                                        {structured, 411},
                                        {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400}}) {
    auto client = connect();
    client.send("POST /events HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + post("smuggled"));
    EXPECT_EQ(client.receive().status, status);
    client.half_close();
    EXPECT_TRUE(client.is_closed()) << headers;
  }
  EXPECT_EQ(service_->calls(), 0);
}

TEST_F(HttpServer, WantsALengthAndHttp1) {
  start();
  expect_refusal("POST /events HTTP/1.1\r\nHost: x\r\n" + structured + "\r\n", 411, "length_required");
  expect_refusal("POST /events HTTP/1.0\r\n\r\n", 411, "length_required");
  expect_refusal("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, "http_version_not_supported");
  expect_refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http_version_not_supported");
}

TEST_F(HttpServer, TellsAClientThatAsksToGoOn) {
  start();
  auto client = connect();
  const auto body = event("1").dump();
  const auto head = "POST /events HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n" + structured;
  client.send(head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_EQ(client.receive().status, 100);
  EXPECT_EQ(client.ask(body).status, 202);
  EXPECT_EQ(client.ask(head + "Content-Length: 2000000\r\n\r\n").status, 413) << "and not to go on when it is too much";
}

TEST_F(HttpServer, LimitsBodies) {
  start({.max_body_bytes = 1000});
  const auto body = event("1").dump();
  const auto padded = [&](std::size_t size) { return body + std::string(size - body.size(), ' '); };
  EXPECT_EQ(ask(request("POST /", structured, padded(1000))).status, 202);
  expect_refusal(request("POST /", structured, padded(1001)), 413, "payload_too_large");
  expect_refusal(request("POST /", structured, padded(10'000'000)), 413, "payload_too_large");
  expect_refusal("POST / HTTP/1.1\r\nHost: x\r\n" + structured + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                     padded(1001) + "\r\n0\r\n\r\n",
                 413, "payload_too_large");
  expect_refusal("POST / HTTP/1.1\r\nHost: x\r\n" + structured + "Content-Length: 18446744073709551616\r\n\r\n", 400,
                 "invalid_request");
}

TEST_F(HttpServer, LimitsHeaders) {
  start({.max_header_bytes = 2000});
  EXPECT_EQ(ask(post("1", "X-Large: " + std::string(1500, 'x') + "\r\n")).status, 202);
  expect_refusal(post("2", "X-Large: " + std::string(3000, 'x') + "\r\n"), 431, "headers_too_large");
  expect_refusal(request("GET /" + std::string(3000, 'x')), 431, "headers_too_large");
}

// Time.

TEST_F(HttpServer, CutsOffSlowRequestsWith408) {
  start({.request_timeout = 50ms});
  for (const auto& begun : {std::string{"P"}, std::string{"POST / HTTP/1.1\r\nHost: x\r\n"}, post("1").substr(0, 150)}) {
    auto client = connect();
    client.send(begun);
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, 408) << begun;
    EXPECT_EQ(answer.error_type(), "request_timeout");
    EXPECT_TRUE(answer.retryable());
    EXPECT_TRUE(client.is_closed());
  }
}

TEST_F(HttpServer, CutsOffThoseThatSendAByteNowAndThen) {
  start({.request_timeout = 100ms});
  auto client = connect();
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ";
  client.send(head);
  std::atomic<bool> answered = false;
  std::thread drip{[&] {
    while (!answered && client.send("x")) std::this_thread::sleep_for(5ms); // what such a client does
  }};
  EXPECT_EQ(client.receive().status, 408);
  answered = true;
  drip.join();
}

TEST_F(HttpServer, ClosesIdleConnectionsWithoutAWord) {
  start({.idle_timeout = 50ms});
  auto fresh = connect();
  EXPECT_TRUE(fresh.is_closed());
  auto used = connect();
  EXPECT_EQ(used.ask(post("1")).status, 202);
  EXPECT_TRUE(used.is_closed());
}

TEST_F(HttpServer, Answers503WhenNoHandlerIsFreeInTime) {
  service_->close_gate();
  start({.request_timeout = 100ms, .handlers = 1});
  auto first = connect();
  first.send(post("1"));
  service_->wait_for_calls(1);
  const auto answer = ask(post("2"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.error_type(), "busy");
  EXPECT_TRUE(answer.retryable());
  EXPECT_TRUE(answer.has("Retry-After"));
  service_->open_gate();
  EXPECT_EQ(first.receive().status, 202) << "what has begun is waited for";
  EXPECT_EQ(ask(post("3")).status, 202);
  EXPECT_EQ(service_->calls(), 2) << "what was given up is not done afterwards";
}

TEST_F(HttpServer, TurnsAwayMoreConnectionsThanItMayHave) {
  start({.max_connections = 2});
  auto first = connect();
  auto second = connect();
  EXPECT_EQ(first.ask(post("1")).status, 202);
  EXPECT_EQ(second.ask(post("2")).status, 202);
  auto third = connect();
  const auto answer = third.receive();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.error_type(), "too_many_connections");
  EXPECT_TRUE(third.is_closed());
  first.send(post("3", "Connection: close\r\n"));
  EXPECT_EQ(first.receive().status, 202);
  first.close();
  raw_answer later; // until the server has seen that the first is gone
  const auto end = steady::now() + 20s;
  do later = ask(post("4"));
  while (later.status != 202 && steady::now() < end);
  EXPECT_EQ(later.status, 202);
}

TEST_F(HttpServer, Serves64ConnectionsAtOnce) {
  start();
  std::atomic<int> accepted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 64; ++t)
    threads.emplace_back([&, t] {
      auto client = connect();
      for (int i = 0; i < 20; ++i)
        if (client.ask(post(std::to_string(t) + '-' + std::to_string(i))).status == 202) ++accepted;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(accepted, 64 * 20);
  EXPECT_EQ(service_->events().size(), 64U * 20U);
}

TEST_F(HttpServer, GoesOnWhenClientsGoAwayInTheMiddle) {
  service_->close_gate();
  start();
  {
    auto half = connect();
    half.send("POST /events HTTP/1.1\r\nHo");
    auto whole = connect();
    whole.send(post("1"));
    service_->wait_for_calls(1);
  }
  service_->open_gate();
  EXPECT_EQ(ask(post("2")).status, 202);
  EXPECT_EQ(service_->events().size(), 2U);
}

TEST_F(HttpServer, AnswersAClientThatHasClosedItsSide) {
  start();
  auto client = connect();
  client.send(post("1"));
  client.half_close();
  EXPECT_EQ(client.receive().status, 202);
  EXPECT_TRUE(client.is_closed());
  auto partial = connect();
  partial.send("POST / HTT");
  partial.half_close();
  EXPECT_EQ(partial.receive().status, 400);
}

} // namespace
} // namespace romancy::testing
