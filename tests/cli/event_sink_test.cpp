#include "cli/event_sink.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/cli/http_client.hpp"

namespace romancy::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const std::vector<std::string> structured{"Content-Type: application/cloudevents+json"};

std::string event(const std::string& id) {
  return json{{"specversion", "1.0"}, {"id", id}, {"source", "/orders"}, {"type", "order.created"}, {"data", 1}}.dump();
}

/// A sink that remembers what it received, and a client of it.
class EventSink : public testing::Test {
protected:
  http_client& start(event_sink_options options = {}) {
    options.on_event = [this](const cloud_event& received) {
      const std::lock_guard lock{mutex_};
      events_.push_back(received);
      changed_.notify_all();
    };
    sink_.emplace(std::move(options));
    return client_.emplace(sink_->port());
  }
  /// Those whose answer the client has seen are in it.
  std::vector<cloud_event> events() {
    const std::lock_guard lock{mutex_};
    return events_;
  }

  void wait_for_events(std::size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return events_.size() >= count; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<cloud_event> events_;
  std::optional<event_sink> sink_;
  std::optional<http_client> client_;
};

TEST_F(EventSink, Answers202AndReportsTheEventBefore) {
  auto& client = start();
  const auto result = client.post(structured, event("1"));
  EXPECT_EQ(result.status, 202);
  EXPECT_EQ(result.body, "");
  ASSERT_EQ(events().size(), 1U);
  EXPECT_EQ(events()[0].id, "1");
  EXPECT_EQ(events()[0].mode, cloud_event::content_mode::structured);
  EXPECT_EQ(events()[0].data, 1);
  EXPECT_EQ(events()[0].status, 202U);
}

TEST_F(EventSink, ReceivesBinaryMode) {
  auto& client = start();
  const std::string bytes{"\x00\xff", 2};
  const auto result = client.post({"CE-SpecVersion: 1.0", "Ce-Id: 1", "ce-type: t", "ce-source: /s",
                                   "ce-subject: Euro%20%E2%82%AC%20%F0%9F%98%80", "Content-Type: image/png"},
                                  bytes);
  EXPECT_EQ(result.status, 202);
  ASSERT_EQ(events().size(), 1U);
  EXPECT_EQ(events()[0].mode, cloud_event::content_mode::binary);
  EXPECT_EQ(events()[0].subject, "Euro € 😀");
  EXPECT_EQ(events()[0].kind, cloud_event::data_kind::bytes);
  EXPECT_EQ(events()[0].data, "AP8=");
}

TEST_F(EventSink, AnswersByItsScriptAndThen202) {
  auto& client = start({.script = answer_script::parse("503,204,302,404,599")});
  for (const long status : {503, 204, 302, 404, 599, 202, 202}) {
    const auto result = client.post(structured, event("1"));
    EXPECT_EQ(result.error, CURLE_OK);
    EXPECT_EQ(result.status, status);
  }
  ASSERT_EQ(events().size(), 7U);
  EXPECT_EQ(events()[0].status, 503U);
  EXPECT_EQ(events()[6].status, 202U);
}

TEST_F(EventSink, ClosesTheConnectionWithoutAnAnswer) {
  auto& client = start({.script = answer_script::parse("close")});
  EXPECT_EQ(client.post(structured, event("1")).error, CURLE_GOT_NOTHING);
  EXPECT_EQ(client.post(structured, event("2")).status, 202);
  ASSERT_EQ(events().size(), 2U);
  EXPECT_EQ(events()[0].status, 0U);
}

TEST_F(EventSink, NeverAnswersWhenItHangs) {
  auto& client = start({.script = answer_script::parse("hang")});
  client.timeout(200ms);
  EXPECT_EQ(client.post(structured, event("1")).error, CURLE_OPERATION_TIMEDOUT);
  client.timeout(60s);
  wait_for_events(1);
  EXPECT_EQ(client.post(structured, event("2")).status, 202);
  ASSERT_EQ(events().size(), 2U);
  EXPECT_EQ(events()[0].status, 0U);
}

TEST_F(EventSink, ClosesHangingConnectionsWhenItStops) {
  auto& client = start({.script = answer_script::parse("hang")});
  auto result = std::async(std::launch::async, [&client] { return client.post(structured, event("1")); });
  wait_for_events(1);
  sink_.reset();
  const auto error = result.get().error;
  EXPECT_TRUE(error == CURLE_GOT_NOTHING || error == CURLE_RECV_ERROR) << curl_easy_strerror(error);
}

TEST_F(EventSink, KeepsConnectionsAlive) {
  auto& client = start({.script = answer_script::parse("202,503")});
  EXPECT_EQ(client.post(structured, event("1")).new_connections, 1);
  EXPECT_EQ(client.post(structured, event("2")).new_connections, 0);
  EXPECT_EQ(client.post(structured, "nonsense").new_connections, 0);
  EXPECT_EQ(client.send("GET", "/received").new_connections, 0);
  EXPECT_EQ(client.send("HEAD", "/").new_connections, 0);
  EXPECT_EQ(client.post(structured, event("3")).new_connections, 0);
  EXPECT_EQ(events().size(), 3U);
}

TEST_F(EventSink, ClosesAConnectionThatTheClientDoesNotWantToKeep) {
  auto& client = start();
  EXPECT_EQ(client.post({structured[0], "Connection: close"}, event("1")).status, 202);
  EXPECT_EQ(client.post(structured, event("2")).new_connections, 1);
}

TEST_F(EventSink, ServesManyConnectionsAtOnce) {
  start();
  std::atomic<int> accepted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t)
    threads.emplace_back([&, t] {
      http_client client{sink_->port()};
      for (int i = 0; i < 50; ++i)
        if (client.post(structured, event(std::to_string(t) + '-' + std::to_string(i))).status == 202) ++accepted;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(accepted, 16 * 50);
  EXPECT_EQ(events().size(), 16U * 50U);
}

TEST_F(EventSink, WaitsBeforeItAnswers) {
  auto& client = start({.delay = 50ms});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(client.post(structured, event("1")).status, 202);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 50ms);
}

TEST_F(EventSink, AnswersAtRandomTheSameWithTheSameSeed) {
  const auto statuses = [this](std::uint64_t seed) {
    auto& client = start({.script = answer_script::random("202:6,503:2,404:2", seed)});
    std::vector<long> seen;
    for (int i = 0; i < 40; ++i) seen.push_back(client.post(structured, event("1")).status);
    return seen;
  };
  const auto first = statuses(7);
  EXPECT_EQ(first, statuses(7));
  EXPECT_NE(first, statuses(8));
}

TEST_F(EventSink, RefusesWhatIsNotAnEventWithASentenceAndDoesNotReceiveIt) {
  auto& client = start({.script = answer_script::parse("503")});
  const auto expect_refusal = [&](const std::vector<std::string>& headers, const std::string& body,
                                  const std::string& sentence) {
    const auto result = client.post(headers, body);
    EXPECT_EQ(result.status, 400);
    EXPECT_EQ(result.sentence(), sentence);
  };
  expect_refusal(structured, R"({"specversion": "1.0"})", "the required attribute id is missing");
  expect_refusal(structured, "[]", "the body is JSON but not an object");
  expect_refusal({"Content-Type: application/cloudevents+avro"}, "x",
                 "the Content-Type application/cloudevents+avro is not understood; send one event as "
                 "application/cloudevents+json");
  expect_refusal({"ce-id: 1", "ce-id: 2"}, "", "there are two headers ce-id");
  EXPECT_NE(client.post(structured, "\xff").sentence().find("the body is not JSON"), std::string::npos);
  EXPECT_TRUE(events().empty());
  EXPECT_EQ(client.post(structured, event("1")).status, 503) << "refusals use up nothing of the script";
}

TEST_F(EventSink, RefusesWhatIsNotHttp) {
  auto& client = start();
  const auto result = client.send("GE T", "/");
  EXPECT_EQ(result.status, 400);
  EXPECT_NE(result.sentence().find("this is not HTTP/1.1: "), std::string::npos);
}

TEST_F(EventSink, AllowsOnlyPost) {
  auto& client = start();
  for (const auto* method : {"GET", "PUT", "DELETE", "OPTIONS"}) {
    const auto result = client.send(method, "/");
    EXPECT_EQ(result.status, 405) << method;
    EXPECT_EQ(result.sentence(), "send events by POST; GET has only /received");
    EXPECT_NE(result.headers.find("Allow: POST"), std::string::npos);
  }
}

TEST_F(EventSink, CountsWhatItReceived) {
  auto& client = start({.script = answer_script::parse("503")});
  for (const auto* id : {"1", "1", "2"}) client.post(structured, event(id));
  client.post(structured, "nonsense");
  const auto result = client.send("GET", "/received");
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(json::parse(result.body), (json{{"received", 3}, {"unique", 2}}));
}

TEST_F(EventSink, TakesBodiesOfUpTo16MiB) {
  auto& client = start();
  auto body = event("1");
  body.resize(event_sink::max_body_bytes, ' ');
  const auto taken = client.post(structured, body);
  EXPECT_EQ(taken.status, 202);
  EXPECT_TRUE(taken.headers.starts_with("HTTP/1.1 100 Continue")) << "libcurl asks first, and waits a second for a yes";
  body += ' ';
  const auto result = client.post(structured, body);
  EXPECT_EQ(result.status, 413);
  EXPECT_EQ(result.sentence(), "the body is larger than 16777216 bytes");
  EXPECT_EQ(client.post({structured[0], "Expect:"}, body).status, 413) << "though the client sends it unasked";
  EXPECT_EQ(client.post({structured[0], "Expect:", "Transfer-Encoding: chunked"}, body).status, 413);
  EXPECT_EQ(client.post(structured, event("2")).status, 202);
  EXPECT_EQ(events().size(), 2U);
}

TEST_F(EventSink, TakesHeadersOfUpTo64KiB) {
  auto& client = start();
  EXPECT_EQ(client.post({structured[0], "X-Large: " + std::string(60'000, 'x')}, event("1")).status, 202);
  const auto result = client.post({structured[0], "X-Large: " + std::string(70'000, 'x')}, event("2"));
  EXPECT_EQ(result.status, 431);
  EXPECT_EQ(result.sentence(), "the headers are larger than 65536 bytes");
}

TEST_F(EventSink, SaysWhichPortIsTaken) {
  start();
  try {
    const event_sink second{{.port = sink_->port()}};
    FAIL() << "two sinks on one port";
  } catch (const std::runtime_error& e) {
    EXPECT_EQ(e.what(), "cannot listen on 127.0.0.1:" + std::to_string(sink_->port()) +
                            ": Address already in use; choose another port, or 0 for any that is free");
  }
}

TEST_F(EventSink, ListensAgainOnThePortOfOneThatIsGone) {
  const auto port = [this] {
    start().post(structured, event("1"));
    return sink_->port();
  }();
  sink_.reset();
  EXPECT_EQ(client_->post(structured, event("2")).error, CURLE_COULDNT_CONNECT);
  EXPECT_EQ(start({.port = port}).post(structured, event("3")).status, 202);
  EXPECT_EQ(events().size(), 2U);
}

} // namespace
} // namespace romancy::cli
