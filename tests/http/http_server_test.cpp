#include "runtime/http_server.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <romancy/error.hpp>

#include "tests/http/fake_service.hpp"
#include "tests/http/raw_client.hpp"
#include "tests/support/refusal.hpp"

namespace romancy {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::fake_service;
using testing::raw_answer;
using testing::raw_client;
using steady = std::chrono::steady_clock;

const std::string structured = "Content-Type: application/cloudevents+json\r\n";
const std::string batched = "Content-Type: application/cloudevents-batch+json\r\n";

json event(const std::string& id) {
  return {{"specversion", "1.0"}, {"id", id}, {"source", "/orders"}, {"type", "order.created"}, {"data", 1}};
}

/// A whole request; each header with its line end.
std::string request(const std::string& line, const std::string& headers = "", const std::string& body = "") {
  return line + " HTTP/1.1\r\nHost: localhost\r\n" + headers +
         (body.empty() && line.starts_with("GET") ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
         "\r\n" + body;
}

std::string post(const std::string& id, const std::string& headers = "") {
  return request("POST /events", structured + headers, event(id).dump());
}

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

// Events.

TEST_F(HttpServer, Answers202OnceTheServiceHasStoredTheEvent) {
  service_->close_gate();
  start();
  auto client = connect();
  client.send(post("1"));
  service_->wait_for_calls(1);
  EXPECT_TRUE(service_->events().empty());
  service_->open_gate();
  const auto answer = client.receive();
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.json(), (json{{"accepted", 1}}));
  EXPECT_TRUE(answer.has("\r\nDate: "));
  ASSERT_EQ(service_->events().size(), 1U);
  EXPECT_EQ(service_->events()[0].id, "1");
}

TEST_F(HttpServer, TakesEventsAtTheRootAsWell) {
  start();
  EXPECT_EQ(ask(request("POST /", structured, event("1").dump())).status, 202);
  EXPECT_EQ(ask(request("POST /events?source=x", structured, event("2").dump())).status, 202);
  EXPECT_EQ(ask(request("POST http://localhost/events", structured, event("3").dump())).status, 202);
  EXPECT_EQ(service_->events().size(), 3U);
}

TEST_F(HttpServer, TakesEventsInBinaryMode) {
  start();
  const std::string headers = "CE-SpecVersion: 1.0\r\nce-id: 1\r\nce-source: /orders\r\nce-type: t\r\n";
  EXPECT_EQ(ask(request("POST /events", headers + "Content-Type: text/plain\r\n", "hello")).status, 202);
  EXPECT_EQ(ask("POST /events HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n").status, 202) << "no data needs no length";
  ASSERT_EQ(service_->events().size(), 2U);
  EXPECT_EQ(service_->events()[0].data, "hello");
  EXPECT_EQ(service_->events()[1].kind, cloud_event::data_kind::none);
}

TEST_F(HttpServer, StoresABatchInOneCall) {
  start();
  const auto answer = ask(request("POST /events", batched, json::array({event("1"), event("2"), event("3")}).dump()));
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.json(), (json{{"accepted", 3}}));
  EXPECT_EQ(service_->commits(), 1);
  EXPECT_EQ(service_->events().size(), 3U);
}

TEST_F(HttpServer, RefusesABatchAsAWholeAndNamesTheEvent) {
  start();
  auto bad = event("2");
  bad.erase("type");
  const auto answer = ask(request("POST /events", batched, json::array({event("1"), bad}).dump()));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.error_type(), "missing_attribute");
  EXPECT_EQ(answer.error(), "the event at index 1 of the batch: the required attribute type is missing");
  EXPECT_EQ(service_->calls(), 0);
}

TEST_F(HttpServer, TakesAnEmptyBatchWithoutAskingTheService) {
  start();
  EXPECT_EQ(ask(request("POST /events", batched, "[]")).json(), (json{{"accepted", 0}}));
  EXPECT_EQ(service_->calls(), 0);
}

TEST_F(HttpServer, RefusesABatchWithTooManyEvents) {
  start({.max_batch = 2});
  expect_refusal(request("POST /", batched, json::array({event("1"), event("2"), event("3")}).dump()), 413,
                 "batch_too_large");
}

TEST_F(HttpServer, RefusesWhatIsMalformedWithAWordForEach) {
  start();
  const auto refuse = [&](const std::string& headers, const std::string& body, int status, const std::string& word) {
    expect_refusal(request("POST /events", headers, body), status, word);
  };
  auto old = event("1");
  old["specversion"] = "0.3";
  refuse(structured, "{", 400, "invalid_json");
  refuse(structured, "[]", 400, "invalid_json");
  refuse(structured, "\"\xff\"", 400, "invalid_encoding");
  refuse(structured, R"({"specversion": "1.0"})", 400, "missing_attribute");
  refuse(structured, R"({"specversion": "1.0", "id": ""})", 400, "invalid_attribute");
  refuse(structured, old.dump(), 400, "unsupported_specversion");
  refuse("ce-specversion: 1.0\r\nce-id: %zz\r\n", "", 400, "invalid_encoding");
  refuse("ce-id: 1\r\nce-id: 2\r\n", "", 400, "invalid_attribute");
  refuse("Content-Type: application/cloudevents+avro\r\n", "x", 415, "unsupported_media_type");
  refuse("Content-Type: text/plain\r\n", "x", 415, "unsupported_media_type");
  refuse(structured + "Content-Encoding: gzip\r\n", "x", 415, "unsupported_media_type");
  EXPECT_EQ(service_->calls(), 0);
}

// What the service says.

TEST_F(HttpServer, PassesARefusalOfTheServiceOn) {
  service_->on_accept = [] {
    return http_service::refusal{.status = 503, .error = "the inbox is full", .error_type = "full", .retryable = true};
  };
  start();
  const auto answer = ask(post("1"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.json(), (json{{"error", "the inbox is full"}, {"error_type", "full"}, {"retryable", true}}));
  EXPECT_TRUE(answer.has("Retry-After: 1\r\n"));
}

TEST_F(HttpServer, TurnsEachExceptionIntoAnAnswerAndKeepsTheConnection) {
  std::atomic<int> turn = 0;
  service_->on_accept = [&]() -> std::optional<http_service::refusal> {
    switch (turn++) {
      case 0: throw storage_error{"secret host is away", true};
      case 1: throw storage_error{"corrupt", false};
      case 2: throw payload_error{"the id is too long"};
      case 3: throw instance_conflict{"taken"};
      case 4: throw std::runtime_error{"secret"};
      case 5: throw 7;
    }
    return std::nullopt;
  };
  start();
  auto client = connect();
  const auto expect = [&](int status, const std::string& word, bool retryable, bool retry_after) {
    const auto answer = client.ask(post("1"));
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.error_type(), word);
    EXPECT_EQ(answer.retryable(), retryable);
    EXPECT_EQ(answer.has("Retry-After"), retry_after);
    EXPECT_EQ(answer.body.find("secret"), std::string::npos);
  };
  expect(503, "database_unavailable", true, true);
  expect(503, "database_refused", false, false);
  expect(400, "invalid_payload", false, false);
  expect(409, "conflict", false, false);
  expect(500, "internal_error", true, false);
  expect(500, "internal_error", true, false);
  EXPECT_EQ(client.ask(post("1")).status, 202);
}

// Paths and methods.

TEST_F(HttpServer, RefusesUnknownPathsAndOtherMethods) {
  start();
  for (const auto* path : {"/nothing", "/cancel", "/cancel/", "/cancel/a/b", "/workflows/", "/events/", "*"})
    expect_refusal(request(std::string{"POST "} + path), 404, "not_found");
  for (const auto* line : {"GET /", "PUT /events", "DELETE /cancel/1", "OPTIONS /"}) {
    expect_refusal(request(line), 405, "method_not_allowed");
    EXPECT_TRUE(ask(request(line)).has("Allow: POST\r\n")) << line;
  }
  for (const auto* line : {"POST /health/live", "DELETE /workflows/1"}) {
    expect_refusal(request(line), 405, "method_not_allowed");
    EXPECT_TRUE(ask(request(line)).has("Allow: GET, HEAD\r\n")) << line;
  }
}

TEST_F(HttpServer, CancelsAnInstance) {
  start();
  EXPECT_EQ(ask(request("POST /cancel/ORD-1")).json(), (json{{"cancelled", true}}));
  EXPECT_EQ(ask(request("POST /cancel/a%2Fb%20%E2%82%AC", "", R"({"reason": "fraud"})")).status, 200);
  EXPECT_EQ(ask("POST /cancel/bare HTTP/1.1\r\nHost: x\r\n\r\n").status, 200) << "a body is not needed";
  EXPECT_EQ(service_->cancelled(),
            (std::vector<std::string>{"ORD-1||127.0.0.1", "a/b €|fraud|127.0.0.1", "bare||127.0.0.1"}));
  expect_refusal(request("POST /cancel/unknown"), 404, "not_found");
  expect_refusal(request("POST /cancel/ended"), 409, "already_ended");
}

TEST_F(HttpServer, RefusesIdsAndReasonsThatAreNotWrittenRight) {
  start();
  for (const auto* id : {"%", "%2", "%zz", "%ff", "%00", "a%0Ab"})
    expect_refusal(request(std::string{"POST /cancel/"} + id), 400, "invalid_encoding");
  for (const auto* body : {"x", "[]", R"({"reason": 1})"})
    expect_refusal(request("POST /cancel/1", "", body), 400, "invalid_json");
  EXPECT_TRUE(service_->cancelled().empty());
}

TEST_F(HttpServer, TellsOfAnInstance) {
  start();
  const auto answer = ask(request("GET /workflows/ORD%2D1"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.json(), (json{{"id", "ORD-1"}, {"status", "completed"}, {"result", 7}, {"error", nullptr}}));
  expect_refusal(request("GET /workflows/unknown"), 404, "not_found");
}

TEST_F(HttpServer, IsLiveWhateverTheServiceDoes) {
  service_->close_gate();
  start({.handlers = 1});
  auto waiting = connect();
  waiting.send(post("1"));
  service_->wait_for_calls(1);
  EXPECT_EQ(ask(request("GET /health/live")).json(), (json{{"live", true}}));
  EXPECT_EQ(ask(request("GET /health/ready")).status, 200) << "it has a thread of its own";
  service_->open_gate();
  EXPECT_EQ(waiting.receive().status, 202);
}

TEST_F(HttpServer, IsReadyUnlessTheDatabaseAPartOrTheBacklogSaysNo) {
  http_service::readiness now{.health = {.ok = true, .parts = {{.name = "outbox_relayer", .running = true}}},
                              .backlog = {{"outbox", 5}}};
  service_->on_ready = [&] { return now; };
  start({.max_backlog = 10});
  EXPECT_EQ(ask(request("GET /health/ready")).json(), (json{{"ready", true}, {"backlog", {{"outbox", 5}}}}));
  now.health = {.ok = false,
                .database_error = "no route",
                .parts = {{.name = "outbox_relayer", .running = false, .restarts = 3, .last_error = "it fell"}}};
  now.backlog["outbox"] = 11;
  const auto answer = ask(request("GET /health/ready"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.error(),
            "the database does not answer: no route; outbox_relayer does not run: it fell; 11 wait in the "
            "outbox, more than 10");
  EXPECT_EQ(answer.error_type(), "not_ready");
  EXPECT_TRUE(answer.retryable());
}

TEST_F(HttpServer, AnswersHeadWithoutABody) {
  start();
  auto client = connect();
  for (const auto* path : {"/health/live", "/health/ready", "/workflows/1"}) {
    client.send(request(std::string{"HEAD "} + path));
    const auto answer = client.receive(true);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_FALSE(answer.has("Content-Length: 0"));
  }
}

// Who may ask.

TEST_F(HttpServer, WantsTheBearerTokenForAllButProbes) {
  start({.bearer_token = "s3cret"});
  for (const auto* header : {"", "Authorization: Bearer s3cre\r\n", "Authorization: Bearer s3cret2\r\n",
                             "Authorization: Bearer \r\n", "Authorization: Bearer\r\n", "Authorization: Basic s3cret\r\n",
                             "Authorization: Bearer s3cret\r\nAuthorization: Bearer s3cret\r\n"}) {
    const auto answer = ask(post("1", header));
    EXPECT_EQ(answer.status, 401) << header;
    EXPECT_EQ(answer.error_type(), "unauthorized");
    EXPECT_TRUE(answer.has("WWW-Authenticate: Bearer"));
  }
  expect_refusal(request("GET /workflows/1"), 401, "unauthorized");
  expect_refusal(request("POST /cancel/1"), 401, "unauthorized");
  expect_refusal(request("GET /nothing"), 401, "unauthorized");
  EXPECT_EQ(service_->calls(), 0);
  EXPECT_EQ(ask(post("1", "Authorization: Bearer s3cret\r\n")).status, 202);
  EXPECT_EQ(ask(post("1", "authorization: bearer  s3cret\r\n")).status, 202);
  EXPECT_EQ(ask(request("GET /health/live")).status, 200);
  EXPECT_EQ(ask(request("GET /health/ready")).status, 200);
}

TEST_F(HttpServer, KeepsDetailsOfHealthFromThoseWithoutTheToken) {
  service_->on_ready = [] {
    return http_service::readiness{.health = {.ok = false, .database_error = "host db-7 away"}};
  };
  start({.bearer_token = "s3cret"});
  EXPECT_EQ(ask(request("GET /health/ready")).error(), "the database does not answer");
  EXPECT_EQ(ask(request("GET /health/ready", "Authorization: Bearer s3cret\r\n")).error(),
            "the database does not answer: host db-7 away");
}

TEST_F(HttpServer, RefusesWebPagesUnlessThereIsAToken) {
  start();
  expect_refusal(request("POST /cancel/1", "Origin: https://evil.example\r\n"), 403, "forbidden");
  EXPECT_TRUE(service_->cancelled().empty());
}

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
} // namespace romancy
