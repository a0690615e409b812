#include <atomic>

#include <romancy/error.hpp>

#include "tests/http/http_server_fixture.hpp"
#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

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

} // namespace
} // namespace romancy::testing
