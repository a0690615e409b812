// Two services, each with a database of its own: what one sends starts and wakes workflows of the other, over HTTP.
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include <romancy/romancy.hpp>

#include "tests/support/database_view.hpp"
#include "tests/support/test_database.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

struct payment {
  std::string order_id;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(payment, order_id)

constexpr auto buy = workflow("buy", [](workflow_context<>& ctx, const std::string& id) -> task<std::string> {
                       const nlohmann::json wanted{{"order_id", id}};
                       co_await send_event_transactional(ctx, "payment.requested", "shop", wanted);
                       const auto paid = co_await ctx.wait_event("payment.done");
                       const nlohmann::json thanks{{"order_id", id}, {"for", paid.data.at("receipt")}};
                       co_await send_event_transactional(ctx, "payment.thanks", "shop", thanks);
                       co_return paid.data.at("receipt").get<std::string>();
                     }).addressed_by("payment.done", "order_id");

constexpr auto charge = activity("charge", [](activity_context& ctx, const std::string& id) -> std::string {
  ctx.session() << "INSERT INTO charges (order_id) VALUES (:id)", soci::use(id);
  send_event_transactional(ctx, "payment.done", "bank", {{"order_id", id}, {"receipt", "receipt of " + id}});
  return id;
});
constexpr auto pay = workflow("pay",
                              [](workflow_context<charge>& ctx, const payment& in) -> task<std::string> {
                                co_await ctx.call<charge>(in.order_id);
                                const auto thanks = co_await ctx.wait_event("payment.thanks");
                                co_return "thanked for " + thanks.data.at("for").get<std::string>();
                              })
                         .started_by("payment.requested", "order_id")
                         .addressed_by("payment.thanks", "order_id");

class FeedingApps : public ::testing::TestWithParam<database_url::backend> {
protected:
  test_database shops{GetParam()}, banks{GetParam()};

  static std::string events_at(std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port) + "/events"; }
  static relayer_options relayer(const std::string& database, const std::string& broker) {
    relayer_options options;
    options.database = database;
    options.broker_url = broker;
    options.poll_interval = 50ms;
    return options;
  }
};

TEST_P(FeedingApps, StartAndWakeEachOthersWorkflows) {
  app<buy> shop{{.database = shops.url()}};
  app<pay> bank{{.database = banks.url()}};
  *bank.storage().connect() << "CREATE TABLE charges (order_id VARCHAR(255) PRIMARY KEY)";
  outbox_relayer from_shop{relayer(shops.url(), events_at(bank.http({})))};
  outbox_relayer from_bank{relayer(banks.url(), events_at(shop.http({})))};
  from_shop.start();
  from_bank.start();
  std::vector<run<std::string>> orders;
  for (int i = 0; i < 5; ++i) {
    const auto id = "O-" + std::to_string(i);
    orders.push_back(shop.start<buy>(id, instance_id{id}));
  }
  for (int i = 0; i < 5; ++i) {
    const auto id = "O-" + std::to_string(i);
    EXPECT_EQ(orders[static_cast<std::size_t>(i)].result(60s), "receipt of " + id);
    EXPECT_EQ(bank.find<pay>(id).result(60s), "thanked for receipt of " + id);
  }
  database_view shop_rows{shops.url()}, bank_rows{banks.url()};
  EXPECT_TRUE(bank_rows.becomes("SELECT count(*) FROM charges", 5));
  EXPECT_TRUE(bank_rows.becomes("SELECT count(*) FROM inbox_events", 10));
  EXPECT_TRUE(shop_rows.becomes("SELECT count(*) FROM inbox_events", 5));
  EXPECT_TRUE(shop_rows.becomes("SELECT count(*) FROM outbox_events WHERE status = 'published'", 10));
  EXPECT_TRUE(bank_rows.becomes("SELECT count(*) FROM channel_messages", 0));
}

ROMANCY_ON_EVERY_DATABASE(FeedingApps);

} // namespace
} // namespace romancy::testing
