#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/child_process.hpp"
#include "tests/support/database_view.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/order_audit.hpp"
#include "tests/support/private_server.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/test_database.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using texts = std::vector<std::string>;

std::vector<std::string> ecommerce(const std::string& database, const event_log& broker, int orders,
                                   const std::string& worker) {
  return {ecommerce_program,
          "--database",
          database,
          "--broker-url",
          broker.url(),
          "--orders",
          std::to_string(orders),
          "--prefix",
          "P",
          "--concurrency",
          "8",
          "--worker-id",
          worker,
          "--lease",
          "2s",
          "--poll-interval",
          "50ms"};
}

texts faults(const std::string& database, const event_log& broker, int orders) {
  order_audit audit;
  for (const auto& event : broker.events()) audit.receive(event);
  database_view outside{database};
  return audit.faults(outside, std::vector{order_round{"P", orders}});
}

class SeveralApps : public on_every_database {
protected:
  temporary_directory directory;
  database_view outside{fresh.url()};
  event_log broker{{}, 1ms};

  child_process app(int orders, const std::string& worker, const std::string& output) const {
    return child_process{ecommerce(fresh.url(), broker, orders, worker), directory.file(output)};
  }
};

TEST_P(SeveralApps, OfTheSameWorkerIdExcludeEachOther) {
  constexpr int orders = 300;
  auto one = app(orders, "same", "one");
  auto two = app(orders, "same", "two");
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM worker_epochs WHERE worker_id = 'same'", 2))
      << one.output() << two.output();
  EXPECT_EQ(one.wait(), 0) << one.output();
  EXPECT_EQ(two.wait(), 0) << two.output();
  EXPECT_EQ(faults(fresh.url(), broker, orders), texts{});
  EXPECT_EQ(broker.size(), static_cast<std::size_t>(orders) * 4); // each event once, too
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances WHERE fence <> 1"), 0);
  for (const auto* process : {&one, &two})
    EXPECT_EQ(process->output().find("left to another worker"), std::string::npos) << process->output();
}

TEST_P(SeveralApps, FinishWhatAKilledOneOfThemHadBegun) {
  constexpr int orders = 500;
  auto victim = app(orders, "victim", "victim");
  auto one = app(orders, "one", "one");
  auto two = app(orders, "two", "two");
  ASSERT_TRUE(outside.becomes("SELECT count(*) FROM worker_epochs", 3)) << victim.output();
  ASSERT_TRUE(broker.wait_for(200, 30s)) << victim.output();
  const auto epochs = outside.rows("SELECT epoch FROM worker_epochs WHERE worker_id = 'victim'");
  ASSERT_EQ(epochs.size(), 1U);
  const auto owned = " FROM workflow_instances WHERE owner_epoch = '" + epochs.front() + '\'';
  std::size_t left_behind = 0;
  for (const auto end = steady::now() + 30s; left_behind == 0 && steady::now() < end;) {
    // Stopped only when it owns something: the others place the same orders, and it must not fall behind them for good.
    if (outside.number("SELECT count(*)" + owned) == 0) continue;
    victim.stop(); // so that the others do not see it end before we have looked
    left_behind = outside.rows("SELECT instance_id" + owned).size();
    if (left_behind == 0) victim.signal(SIGCONT);
  }
  victim.signal(SIGKILL);
  victim.wait();
  const auto killed = steady::now();
  ASSERT_TRUE(outside.becomes("SELECT count(*)" + owned, 0, 30s)) << one.output();
  const auto taken_over = steady::now() - killed;
  std::cout << left_behind << " instances taken over "
            << std::chrono::duration_cast<std::chrono::milliseconds>(taken_over).count()
            << " ms after kill -9, of a lease of 2000 ms\n";
  EXPECT_GT(left_behind, 0U);
  EXPECT_LT(taken_over, 4s); // looked for three times a lease; the machine may be busy
  EXPECT_EQ(one.wait(), 0) << one.output();
  EXPECT_EQ(two.wait(), 0) << two.output();
  EXPECT_EQ(faults(fresh.url(), broker, orders), texts{});
}

ROMANCY_ON_EVERY_DATABASE(SeveralApps);

class ServerThatIsAway : public ::testing::TestWithParam<database_url::backend> {
protected:
  temporary_directory directory;
  private_server server{GetParam()};
  event_log broker;

  ServerThatIsAway() { server.stop(); }
  std::vector<std::string> relay(const std::string& timeout) const {
    return {romancy_program, "relay",           "--database", server.url(),         "--broker-url",
            broker.url(),    "--poll-interval", "50ms",       "--database-timeout", timeout};
  }
};

TEST_P(ServerThatIsAway, IsWaitedForByAppsAndRelays) {
  constexpr int orders = 20;
  auto arguments = ecommerce(server.url(), broker, orders, "app");
  arguments.insert(arguments.end(), {"--database-timeout", "60s"});
  child_process app{arguments, directory.file("app")};
  child_process relay{this->relay("60s"), directory.file("relay")};
  for (const auto* process : {&app, &relay})
    ASSERT_TRUE(process->says("waiting for it, up to 60000 ms: cannot open the database")) << process->output();
  server.start();
  EXPECT_EQ(app.wait(), 0) << app.output();
  EXPECT_EQ(faults(server.url(), broker, orders), texts{});
  EXPECT_TRUE(database_view{server.url()}.becomes("SELECT count(*) FROM worker_epochs WHERE worker_id = 'relay'", 1))
      << relay.output();
  relay.signal(SIGTERM);
  EXPECT_EQ(relay.wait(), 0) << relay.output();
}

TEST_P(ServerThatIsAway, IsGivenUpAfterTheLimitInOneLineThatSaysWhatToDo) {
  const auto given_up = run_process(relay("300ms"));
  EXPECT_EQ(given_up.code, 1) << given_up.output;
  const auto error = given_up.output.find("romancy: database '");
  ASSERT_NE(error, std::string::npos) << given_up.output;
  const auto line = given_up.output.substr(error);
  EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
  EXPECT_NE(line.find("it was away for "), std::string::npos) << line;
  EXPECT_NE(line.find(" ms; start it, check host and port, or raise database_timeout"), std::string::npos) << line;
  EXPECT_EQ(given_up.output.find("p%40ss"), std::string::npos) << given_up.output;
}

ROMANCY_ON_EVERY_SERVER(ServerThatIsAway);

} // namespace
} // namespace romancy::testing
