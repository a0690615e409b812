#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <random>

#include "tests/support/child_process.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/private_server.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/test_database.hpp"
#include "tests/support/torture.hpp"

namespace romancy::testing {
namespace {

using texts = std::vector<std::string>;

/// ROMANCY_SEED repeats a run that failed, as far as timing can be repeated.
std::uint64_t seed() {
  if (const char* given = std::getenv("ROMANCY_SEED")) return std::stoull(given);
  return std::random_device{}();
}

class Torture : public ::testing::TestWithParam<database_url::backend> {
protected:
  std::uint64_t chosen = seed();
  temporary_directory directory;

  Torture() { std::cout << "ROMANCY_SEED=" << chosen << '\n'; }
};

TEST_P(Torture, KeepsEveryPromiseThroughTwentyKillsAndABadBroker) {
  constexpr int orders = 300, kills = 20;
  const test_database fresh{GetParam()};
  std::mt19937_64 random{chosen};
  event_log broker{cli::answer_script::random("202:6,503:2,close:2", chosen)};
  const auto start = [&] {
    return child_process{
        {ecommerce_program, "--database", fresh.url(), "--broker-url", broker.url(), "--orders", std::to_string(orders),
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

  order_audit audit;
  for (const auto& event : broker.events()) audit.receive(event);
  database_view outside{fresh.url()};
  EXPECT_EQ(audit.faults(outside, std::vector{order_round{"P", orders}}), texts{});
}

/// A database whose server may be killed.
class perilous_database {
public:
  explicit perilous_database(database_url::backend kind) {
    if (kind == database_url::backend::sqlite3)
      file_.emplace(kind);
    else
      server_ = std::make_unique<private_server>(kind);
  }
  const std::string& url() const { return server_ ? server_->url() : file_->url(); }
  std::function<void()> restart() const {
    if (!server_) return {};
    return [this] {
      server_->crash();
      server_->start();
    };
  }

private:
  std::optional<test_database> file_;
  std::unique_ptr<private_server> server_;
};

TEST_P(Torture, KeepsEveryPromiseOfThreeWorkersAndTwoRelaysWhateverIsKilledOrStopped) {
  using enum torture::blow;
  const perilous_database database{GetParam()};
  std::vector<torture::blow> blows(14, kill_worker);
  blows.insert(blows.end(), 6, kill_relay);
  blows.insert(blows.end(), 3, stop_process);
  blows.insert(blows.end(), 3, end_connections);
  blows.insert(blows.end(), 2, restart_server);
  std::mt19937_64 random{chosen};
  std::shuffle(blows.begin(), blows.end(), random);
  torture victims{
      {.database = database.url(), .directory = directory.file(""), .seed = chosen, .restart_server = database.restart()},
      std::cout};
  for (const auto blow : blows) victims.suffer(blow);
  victims.finish();
  std::cout << victims.summary() << '\n';
  EXPECT_EQ(victims.faults(), texts{}) << victims.last_words();
}

ROMANCY_ON_EVERY_DATABASE(Torture);

} // namespace
} // namespace romancy::testing
