#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <sstream>
#include <thread>

#include <nlohmann/json.hpp>
#include <romancy/romancy.hpp>

#include "actors/cloud_event_encoder.hpp"
#include "actors/percent_encoding.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/programs.hpp"
#include "testing/temporary_directory.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto send_all = activity("send_all", [](activity_context& ctx) -> void {
  send_event_transactional(ctx, "plain", "shop", {{"order_id", "ORD-1"}, {"euro", "Euro € 😀"}},
                           event_options{}
                               .id("plain-1")
                               .attribute("subject", "Euro € 😀")
                               .attribute("partitionkey", "k 1")
                               .attribute("priority", 7)
                               .attribute("urgent", true));
  send_event_transactional(ctx, "text", "shop", event_data::text("<a>ü</a>", "application/xml"),
                           event_options{}.id("text-1"));
  send_event_transactional(ctx, "bytes", "shop", event_data::bytes(std::string{"\x00\xff\x10", 3}),
                           event_options{}.id("bytes-1"));
  send_event_transactional(ctx, "string", "/relative/source", "just text", event_options{}.id("string-1"));
});
constexpr auto flow = workflow("flow", [](workflow_context<send_all>& ctx) -> task<> { co_await ctx.call<send_all>(); });

/// The SDK in a process of its own.
class sdk_receiver {
public:
  sdk_receiver() {
    ::setenv("NODE_PATH", node_modules, 1);
    process_.emplace(std::vector<std::string>{"/usr/bin/env", "node", sdk_receiver_script}, directory_.file("received"));
    while (lines().empty() && process_->running()) std::this_thread::yield();
  }
  std::string url() const { return "http://127.0.0.1:" + lines().at(0) + "/"; }
  /// By id.
  std::map<std::string, nlohmann::json> events(std::size_t count) {
    while (lines().size() < count + 1 && process_->running()) std::this_thread::yield();
    std::map<std::string, nlohmann::json> all;
    const auto text = lines();
    for (std::size_t i = 1; i < text.size(); ++i) {
      const auto event = nlohmann::json::parse(text[i]);
      all[event.value("id", text[i])] = event;
    }
    return all;
  }
  std::string output() const { return process_->output(); }

private:
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    std::istringstream text{process_->output()};
    for (std::string line; std::getline(text, line) && !text.eof();) all.push_back(line);
    return all;
  }
  temporary_directory directory_;
  std::optional<child_process> process_;
};

class CloudEventsSdk : public ::testing::TestWithParam<content_mode> {};

TEST_P(CloudEventsSdk, UnderstandsEveryKindOfEvent) {
  sdk_receiver receiver;
  ASSERT_NO_THROW(receiver.url()) << receiver.output();
  const temporary_directory directory;
  app<flow> app{{.database = directory.file("sdk.db"),
                 .outbox = {.enabled = true, .broker_url = receiver.url(), .mode = GetParam()}}};
  app.start<flow>().result();
  const auto events = receiver.events(4);
  ASSERT_EQ(events.size(), 4U) << receiver.output();

  const auto mode = GetParam() == content_mode::binary ? "binary" : "structured";
  for (const auto& [id, event] : events) {
    EXPECT_EQ(event.at("specversion"), "1.0") << id;
    EXPECT_EQ(event.at("mode"), mode) << id;
    EXPECT_EQ(event.at("time").get<std::string>().substr(0, 2), "20") << id;
  }
  const auto& plain = events.at("plain-1");
  EXPECT_EQ(plain.at("type"), "plain");
  EXPECT_EQ(plain.at("source"), "shop");
  EXPECT_EQ(plain.at("datacontenttype"), "application/json");
  EXPECT_EQ(plain.at("subject"), "Euro € 😀");
  EXPECT_EQ(plain.at("partitionkey"), "k 1");
  EXPECT_EQ(plain.at("data").at("euro"), "Euro € 😀");
  if (GetParam() == content_mode::structured) { // headers have no types
    EXPECT_EQ(plain.at("priority"), 7);
    EXPECT_EQ(plain.at("urgent"), true);
  }
  EXPECT_EQ(events.at("text-1").at("datacontenttype"), "application/xml");
  EXPECT_EQ(events.at("text-1").at("data"), "<a>ü</a>");
  EXPECT_EQ(events.at("bytes-1").at("data_base64"), "AP8Q");
  EXPECT_EQ(events.at("string-1").at("source"), "/relative/source");
  EXPECT_EQ(events.at("string-1").at("data"), "just text");
}

INSTANTIATE_TEST_SUITE_P(BothModes, CloudEventsSdk, ::testing::Values(content_mode::structured, content_mode::binary),
                         [](const auto& mode) { return mode.param == content_mode::binary ? "Binary" : "Structured"; });

// The vector of the CloudEvents HTTP binding 1.0, section 3.1.3.2.
TEST(PercentEncoding, EncodesTheVectorOfTheHttpBinding) {
  EXPECT_EQ(percent_encoded("Euro € 😀"), "Euro%20%E2%82%AC%20%F0%9F%98%80");
  EXPECT_EQ(percent_encoded("a\"b%c"), "a%22b%25c");
  EXPECT_EQ(percent_encoded("!~"), "!~");
}

} // namespace
} // namespace romancy::testing
