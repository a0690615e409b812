#include <vector>

#include "tests/http/http_server_fixture.hpp"

namespace romancy::testing {
namespace {

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

} // namespace
} // namespace romancy::testing
