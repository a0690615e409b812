#include <gtest/gtest.h>

#include <csignal>

#include "storage/migrations.hpp"
#include "storage/outbox_table.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/temporary_directory.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

class RelayProcesses : public ::testing::Test {
protected:
  temporary_directory directory;
  std::string file = directory.file("outbox.db");

  void insert_events(int count) {
    database_file outside{file};
    static_cast<void>(migrations::apply(outside.db()));
    outbox_table outbox{outside.db()};
    outside.db().begin();
    for (int i = 0; i < count; ++i) {
      event_record event;
      event.id = "E-" + std::to_string(i);
      event.type = "test";
      event.source = "test";
      event.data = "{}";
      event.created_at = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
      outbox.insert(event);
    }
    outside.db().commit();
  }
  child_process relay(const event_log& broker, const std::string& output) {
    return child_process{{romancy_program, "relay", "--database", file, "--broker-url", broker.url(), "--poll-interval",
                          "50ms", "--lease", "2s"},
                         directory.file(output)};
  }
  bool all_published(int count, std::chrono::seconds patience) {
    database_file outside{file};
    const auto end = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < end)
      if (outside.number("SELECT count(*) FROM outbox_events WHERE status = 'published'") == count) return true;
    return false;
  }
};

TEST_F(RelayProcesses, DeliverEachEventOnceWhileBothAreHealthy) {
  insert_events(500);
  event_log broker{{}, 1ms};
  auto one = relay(broker, "one");
  auto two = relay(broker, "two");
  ASSERT_TRUE(all_published(500, 60s)) << one.output() << two.output();
  one.signal(SIGTERM);
  two.signal(SIGTERM);
  EXPECT_EQ(one.wait(), 0) << one.output();
  EXPECT_EQ(two.wait(), 0) << two.output();
  EXPECT_EQ(broker.size(), 500U);
  EXPECT_EQ(broker.accepted().size(), 500U);
}

TEST_F(RelayProcesses, FinishWhatAKilledOneHadOnTheWireWithinTheLease) {
  insert_events(200);
  event_log broker{{}, 20ms};
  auto victim = relay(broker, "victim");
  ASSERT_TRUE(broker.wait_for(5, 30s)) << victim.output();
  auto survivor = relay(broker, "survivor");
  victim.signal(SIGKILL);
  victim.wait();
  const auto killed = std::chrono::steady_clock::now();
  ASSERT_TRUE(all_published(200, 60s)) << survivor.output();
  EXPECT_LT(std::chrono::steady_clock::now() - killed, 10s); // 200 events of 20 ms each and a lease of 2 s
  EXPECT_EQ(broker.accepted().size(), 200U);
}

TEST_F(RelayProcesses, TryWhatIsDueOnceAndEnd) {
  insert_events(25);
  event_log broker{cli::answer_script::parse("503,400")};
  const auto once = run_process(
      {romancy_program, "relay", "--database", file, "--broker-url", broker.url(), "--once", "--poll-interval", "1m"});
  EXPECT_EQ(once.code, 0) << once.output;
  database_file outside{file};
  EXPECT_EQ(outside.number("SELECT count(*) FROM outbox_events WHERE status = 'published'"), 23);
  EXPECT_EQ(outside.number("SELECT count(*) FROM outbox_events WHERE status = 'invalid'"), 1);
  EXPECT_EQ(outside.number("SELECT count(*) FROM outbox_events WHERE status = 'pending' AND retry_count = 1"), 1);
}

} // namespace
} // namespace romancy::testing
