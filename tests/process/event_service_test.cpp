#include <gtest/gtest.h>

#include <csignal>

#include "tests/cli/http_client.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/database_view.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/test_database.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// The service as its clients see it: HTTP in, events out, and a process that may be killed.
class EventService : public on_every_database {
protected:
  temporary_directory directory;
  event_log broker;
  database_view outside{fresh.url()};
  int lives = 0;

  struct running {
    child_process process;
    cli::http_client client;
  };
  std::unique_ptr<running> start() {
    const auto output = directory.file("service-" + std::to_string(++lives));
    child_process process{{event_service_program, "--database", fresh.url(), "--http-port", "0", "--broker-url",
                           broker.url(), "--poll-interval", "50ms", "--lease", "2s", "--token", "secret"},
                          output};
    if (!process.says("listening on 127.0.0.1:")) throw std::runtime_error{process.output()};
    const auto said = process.output();
    const auto at = said.find("listening on 127.0.0.1:") + std::string{"listening on 127.0.0.1:"}.size();
    const auto port = static_cast<std::uint16_t>(std::stoi(said.substr(at)));
    return std::make_unique<running>(running{std::move(process), cli::http_client{port}});
  }
  static cli::http_result post(running& service, const std::string& id, const std::string& type, const json& data,
                               json attributes = json::object()) {
    attributes.update({{"specversion", "1.0"}, {"id", id}, {"source", "test"}, {"type", type}, {"data", data}});
    return service.client.post({"Content-Type: application/cloudevents+json", "Authorization: Bearer secret"},
                               attributes.dump());
  }
  bool ends(const std::string& id, const std::string& output) {
    return outside.becomes(
        "SELECT count(*) FROM workflow_instances WHERE instance_id = '" + id + "' AND output_data = '\"" + output + "\"'",
        1);
  }
};

TEST_P(EventService, DecidesAboutOrdersAlsoWhenItIsKilledWhileTheyWait) {
  auto service = start();
  for (const auto* id : {"O-1", "O-2", "O-3"})
    EXPECT_EQ(post(*service, id, "order.requested", {{"order_id", id}, {"amount", 5}}).status, 202);
  EXPECT_EQ(
      post(*service, "O-4", "order.requested", {{"order_id", "O-4"}, {"amount", 5}, {"approve_within", "2s"}}).status,
      202);
  EXPECT_EQ(post(*service, "early", "order.approved", {{"order_id", "O-1"}}).status, 202);
  service->process.signal(SIGKILL);
  service->process.wait();
  service = start();
  EXPECT_EQ(post(*service, "early", "order.approved", {{"order_id", "O-1"}}).status, 202); // comes again
  EXPECT_EQ(post(*service, "no", "order.rejected", json::object(), {{"romancyinstanceid", "O-2"}}).status, 202);
  EXPECT_EQ(post(*service, "O-1", "order.requested", {{"order_id", "O-1"}, {"amount", 5}}).status, 202);
  EXPECT_TRUE(ends("O-1", "confirmed"));
  EXPECT_TRUE(ends("O-2", "declined"));
  EXPECT_TRUE(ends("O-4", "expired"));
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM outbox_events WHERE status = 'published'", 3));
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM reservations WHERE status = 'taken'", 1));
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM reservations WHERE status = 'released'", 2));
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM workflow_instances WHERE status = 'running'", 1)); // O-3 waits
  service->process.signal(SIGTERM);
  EXPECT_EQ(service->process.wait(), 0) << service->process.output();
}

TEST_P(EventService, RefusesWhatIsMalformedAndKeepsNothingOfIt) {
  auto service = start();
  EXPECT_EQ(post(*service, "1", "order.requested", {{"amount", 5}}).status, 400);
  EXPECT_EQ(post(*service, "2", "order.requested", {{"order_id", "O"}, {"amount", 5}, {"approve_within", "soon"}}).status,
            400);
  EXPECT_EQ(post(*service, "3", "order.approved", {{"by", "nobody"}}).status, 400);
  const auto said = json::parse(post(*service, "", "order.requested", {{"order_id", "O"}, {"amount", 5}}).body);
  EXPECT_EQ(said.at("retryable"), false);
  EXPECT_FALSE(said.at("error").get<std::string>().empty());
  EXPECT_FALSE(said.at("error_type").get<std::string>().empty());
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM inbox_events", 0));
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM workflow_instances", 0));
}

ROMANCY_ON_EVERY_DATABASE(EventService);

} // namespace
} // namespace romancy::testing
