#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/child_process.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/programs.hpp"
#include "testing/temporary_directory.hpp"

namespace romancy::testing {
namespace {

using nlohmann::json;
using words = std::vector<std::string>;

/// `romancy event send`.
class EventCommand : public ::testing::Test {
protected:
  static finished_process send(const words& more, const std::string& type = "order.approved") {
    words arguments{romancy_program, "event", "send", "--type", type};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_process(std::move(arguments));
  }
  /// It ends as for bad usage, with nothing sent, and says this.
  void expect_refused(words arguments, const std::string& why, const std::string& type = "order.approved") {
    arguments.insert(arguments.end(), {"--url", log.url()});
    const auto refused = send(arguments, type);
    EXPECT_EQ(refused.code, 2) << refused.output;
    EXPECT_NE(refused.output.find(why), std::string::npos) << refused.output;
    EXPECT_TRUE(log.events().empty());
  }
  event_log log;
};

TEST_F(EventCommand, SendsAStructuredCloudEventWithWhatItIsGiven) {
  const auto sent =
      send({"--url", log.url(), "--source", "/ops", "--data", R"({"order_id":"ORD-1"})", "--id", "approval 1",
            "--subject", "ORD-1", "--instance", "ORD-1", "--extension", "tenant=a=b", "--extension", "traceparent=1"});
  EXPECT_EQ(sent.code, 0) << sent.output;
  EXPECT_EQ(sent.output, "event approval 1 of /ops is taken in\n");
  ASSERT_EQ(log.events().size(), 1U);
  const auto event = log.events().front();
  EXPECT_EQ(event.mode, cloud_event::content_mode::structured);
  EXPECT_EQ(event.type, "order.approved");
  EXPECT_EQ(event.source, "/ops");
  EXPECT_EQ(event.id, "approval 1");
  EXPECT_EQ(event.subject, "ORD-1");
  EXPECT_EQ(event.data, (json{{"order_id", "ORD-1"}}));
  EXPECT_EQ(event.attributes.at("romancyinstanceid"), "ORD-1");
  EXPECT_EQ(event.attributes.at("tenant"), "a=b");
  EXPECT_EQ(event.attributes.at("traceparent"), "1");
}

TEST_F(EventCommand, MakesAnIdOfItsOwnAndSaysWhich) {
  const auto first = send({"--url", log.url(), "--json"}), second = send({"--url", log.url(), "--json"});
  ASSERT_EQ(first.code, 0) << first.output;
  ASSERT_EQ(log.events().size(), 2U);
  const auto said = json::parse(first.output);
  EXPECT_EQ(said.at("id"), log.events().front().id);
  EXPECT_EQ(said.at("source"), "/romancy/event-send");
  EXPECT_EQ(said.at("status"), 202);
  EXPECT_NE(said.at("id"), json::parse(second.output).at("id"));
  EXPECT_EQ(log.events().front().data, json());
}

TEST_F(EventCommand, RefusesWhatIsNoEventAndSaysWhatToDo) {
  expect_refused({}, "the type of an event is empty: give it a value", "");
  expect_refused({"--data", "{order_id: 1}"}, "--data {order_id: 1} is no JSON: write an object like");
  expect_refused({"--source", ""}, "the source of event 'order.approved' is empty");
  expect_refused({"--source", "my ops"}, "has a space: it is a URI reference (write %20)");
  expect_refused({"--extension", "tenant"}, "--extension tenant has no '=': write name=value");
  expect_refused({"--extension", "Tenant=1"}, "'Tenant' is no name of an extension: use 1 to 20 of a-z and 0-9");
  expect_refused({"--extension", "=1"}, "'' is no name of an extension");
  expect_refused({"--extension", "id=1"}, "that is no extension: use --id");
  expect_refused({"--extension", "time=1"}, "this command sets it itself: leave it out");
  expect_refused({"--extension", "a=1", "--extension", "a=2"}, "--extension a=2: it is given twice");
  expect_refused({"--extension", "a="}, "its value must be UTF-8 without control characters, and not empty");
  expect_refused({"--token", "a\nb: c"}, "--token has spaces or control characters");
  expect_refused({"--timeout", "soon"}, "soon");
  const auto url = send({"--url", "ftp://secret:word@host/"});
  EXPECT_EQ(url.code, 2);
  EXPECT_NE(url.output.find("is no http:// or https:// URL (its scheme is 'ftp')"), std::string::npos) << url.output;
  EXPECT_EQ(url.output.find("word"), std::string::npos) << url.output;
}

TEST_F(EventCommand, EndsWith1AndSaysHowToSendTheSameAgainWhenThereIsNoAnswer) {
  const auto url = [] {
    const event_log gone;
    return gone.url();
  }();
  const auto sent = send({"--url", url, "--id", "E-1"});
  EXPECT_EQ(sent.code, 1);
  EXPECT_EQ(sent.output.find("romancy: event E-1 is not taken in by " + url + ": "), 0U) << sent.output;
  EXPECT_NE(sent.output.find("; send it again with --id E-1\n"), std::string::npos) << sent.output;
}

/// The app of the example, with its token.
TEST_F(EventCommand, WakesAWorkflowOfARunningAppAndShowsItsRefusals) {
  temporary_directory directory;
  child_process service{{event_service_program, "--database", directory.file("db"), "--http-port", "0", "--broker-url",
                         log.url(), "--poll-interval", "20ms", "--token", "secret"},
                        directory.file("output")};
  const std::string listening = "listening on 127.0.0.1:";
  ASSERT_TRUE(service.says(listening)) << service.output();
  const auto said = service.output();
  const auto url =
      "http://127.0.0.1:" + std::to_string(std::stoi(said.substr(said.find(listening) + listening.size()))) + "/";
  const auto with = [&](words more) {
    more.insert(more.end(), {"--url", url, "--token", "secret"});
    return more;
  };
  const auto requested = send(with({"--data", R"({"order_id":"ORD-1","amount":5})"}), "order.requested");
  EXPECT_EQ(requested.code, 0) << requested.output;
  const auto stranger = send({"--url", url, "--instance", "ORD-1", "--json", "--id", "E"});
  EXPECT_EQ(stranger.code, 1);
  EXPECT_NE(stranger.output.find("romancy: event E is not taken in by " + url + ": HTTP 401: "), std::string::npos)
      << stranger.output;
  EXPECT_EQ(stranger.output.find("send it again"), std::string::npos) << stranger.output;
  const auto answer = json::parse(stranger.output.substr(0, stranger.output.find('\n')));
  EXPECT_EQ(answer.at("status"), 401);
  EXPECT_EQ(answer.at("answer").at("error_type"), "unauthorized");
  const auto malformed = send(with({"--data", R"({"amount":5})"}), "order.requested");
  EXPECT_EQ(malformed.code, 1);
  EXPECT_NE(malformed.output.find("HTTP 400: "), std::string::npos) << malformed.output;
  EXPECT_NE(malformed.output.find("order_id"), std::string::npos) << malformed.output;
  const auto approved = send(with({"--instance", "ORD-1", "--id", "yes"}));
  EXPECT_EQ(approved.code, 0) << approved.output;
  ASSERT_TRUE(log.wait_for(1, std::chrono::seconds{30}));
  EXPECT_EQ(log.events().front().type, "order.confirmed");
}

} // namespace
} // namespace romancy::testing
