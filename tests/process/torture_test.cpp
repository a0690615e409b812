#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "tests/support/child_process.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/temporary_directory.hpp"

namespace romancy::testing {
namespace {

constexpr int orders = 300;
constexpr int kills = 20;

/// ROMANCY_SEED repeats a run that failed, as far as timing can be repeated.
std::uint64_t seed() {
  if (const char* given = std::getenv("ROMANCY_SEED")) return std::stoull(given);
  return std::random_device{}();
}

std::string order_of(const cli::received_event& event) { return event.data.at("order_id").get<std::string>(); }

TEST(Torture, KeepsEveryPromiseThroughTwentyKillsAndABadBroker) {
  const auto chosen = seed();
  SCOPED_TRACE("ROMANCY_SEED=" + std::to_string(chosen));
  std::cout << "ROMANCY_SEED=" << chosen << '\n';
  std::mt19937_64 random{chosen};
  const temporary_directory directory;
  const auto file = directory.file("orders.db");
  event_log broker{cli::answer_script::random("202:6,503:2,close:2", chosen)};
  const auto start = [&] {
    return child_process{
        {ecommerce_program, "--database", file, "--broker-url", broker.url(), "--orders", std::to_string(orders),
         "--prefix", "P", "--concurrency", "4", "--lease", "1s", "--poll-interval", "50ms", "--max-retries", "1000000"},
        directory.file("output")};
  };

  int killed = 0;
  for (; killed < kills; ++killed) {
    auto process = start();
    const auto target = broker.size() + 1 + random() % 45;
    ASSERT_TRUE(broker.wait_for(target, std::chrono::seconds{30})) << process.output();
    process.signal(SIGKILL);
    ASSERT_EQ(process.wait(), 137) << "it ended before it was killed: " << process.output();
  }
  auto last = start();
  const auto code = last.wait_for(std::chrono::minutes{2});
  ASSERT_TRUE(code) << last.output();
  ASSERT_EQ(*code, 0) << last.output();

  // The model: what must be there, once.
  std::set<std::string> all, paid;
  std::map<std::string, std::set<std::string>> expected; // by event type
  for (int i = 1; i <= orders; ++i) {
    const auto id = "P-" + std::to_string(i);
    all.insert(id);
    expected["order.created"].insert(id);
    expected["order.shipped"].insert(id);
    expected["order.completed"].insert(id);
    expected[i % 7 == 0 ? "payment.failed" : "payment.processed"].insert(id);
    if (i % 7 != 0) paid.insert(id);
  }
  database_file db{file};
  const auto rows = [&](const char* table) {
    const auto list = db.texts(std::string{"SELECT order_id FROM "} + table);
    const std::set<std::string> distinct{list.begin(), list.end()};
    EXPECT_EQ(list.size(), distinct.size()) << table << " has an order twice";
    return distinct;
  };
  EXPECT_EQ(rows("orders"), all);
  EXPECT_EQ(rows("payments"), paid);
  EXPECT_EQ(rows("shipments"), all);
  EXPECT_EQ(db.number("SELECT count(*) FROM workflow_instances WHERE status = 'completed'"), orders);
  EXPECT_EQ(db.number("SELECT count(*) FROM workflow_instances"), orders);
  EXPECT_EQ(db.number("SELECT count(*) FROM workflow_history"), orders * 4);
  EXPECT_EQ(db.number("SELECT count(*) FROM outbox_events"), orders * 4);
  EXPECT_EQ(db.number("SELECT count(*) FROM outbox_events WHERE status = 'published'"), orders * 4);

  std::map<std::string, std::string> content; // by event id
  std::map<std::string, std::set<std::string>> received;
  for (const auto& event : broker.events()) {
    const auto [known, fresh] = content.emplace(event.id, event.type + event.time + event.data.dump());
    EXPECT_EQ(known->second, event.type + event.time + event.data.dump())
        << "event " << event.id << " changed between attempts";
    if (event.status == 202) received[event.type].insert(order_of(event));
  }
  EXPECT_EQ(received, expected);
  const auto ids = db.texts("SELECT event_id FROM outbox_events ORDER BY 1");
  EXPECT_EQ(content.size(), ids.size()) << "the broker saw an event that was never committed";
  const auto accepted = broker.accepted();
  for (const auto& id : ids) EXPECT_TRUE(accepted.contains(id)) << "event " << id << " is lost";
}

} // namespace
} // namespace romancy::testing
