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

  int inserted = 0;

  RelayProcesses() {
    database_file outside{file};
    static_cast<void>(migrations::apply(outside.db()));
  }
  void insert_events(int count) {
    database_file outside{file};
    outbox_table outbox{outside.db()};
    outside.db().begin();
    for (int i = 0; i < count; ++i) {
      event_record event;
      event.id = "E-" + std::to_string(inserted++);
      event.type = "test";
      event.source = "test";
      event.data = "{}";
      event.created_at = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
      outbox.insert(event);
    }
    outside.db().commit();
  }
  /// `name` is its worker id, and where its output goes.
  child_process relay(const event_log& broker, const std::string& name) {
    return child_process{{romancy_program, "relay", "--database", file, "--broker-url", broker.url(), "--poll-interval",
                          "50ms", "--lease", "2s", "--worker-id", name},
                         directory.file(name)};
  }
  bool all_published(std::chrono::seconds patience) {
    return database_file{file}.becomes("SELECT count(*) FROM outbox_events WHERE status <> 'published'", 0, patience);
  }
};

TEST_F(RelayProcesses, ShareTheWorkAndDeliverEachEventOnceWhileBothAreHealthy) {
  // Each has a broker of its own, which tells who delivered what.
  event_log broker_of_one{{}, 1ms};
  event_log broker_of_two{{}, 1ms};
  auto one = relay(broker_of_one, "one");
  auto two = relay(broker_of_two, "two");
  ASSERT_TRUE(database_file{file}.becomes("SELECT count(*) FROM worker_epochs", 2)) << one.output() << two.output();
  const auto end = std::chrono::steady_clock::now() + 60s;
  do {
    insert_events(250);
    ASSERT_TRUE(all_published(60s)) << one.output() << two.output();
    ASSERT_LT(std::chrono::steady_clock::now(), end)
        << "one delivered " << broker_of_one.size() << ", two delivered " << broker_of_two.size();
  } while (inserted < 500 || broker_of_one.size() == 0 || broker_of_two.size() == 0);
  one.signal(SIGTERM);
  two.signal(SIGTERM);
  EXPECT_EQ(one.wait(), 0) << one.output();
  EXPECT_EQ(two.wait(), 0) << two.output();
  EXPECT_EQ(broker_of_one.size() + broker_of_two.size(), static_cast<std::size_t>(inserted));
  auto accepted = broker_of_one.accepted();
  accepted.merge(broker_of_two.accepted());
  EXPECT_EQ(accepted.size(), static_cast<std::size_t>(inserted));
}

TEST_F(RelayProcesses, FinishWhatAKilledOneHadOnTheWireWithinTheLease) {
  insert_events(200);
  event_log deaf{cli::answer_script::random("hang:1", 1)}; // what the victim has claimed stays claimed
  event_log broker{{}, 20ms};
  auto victim = relay(deaf, "victim");
  ASSERT_TRUE(deaf.wait_for(5, 30s)) << victim.output();
  auto survivor = relay(broker, "survivor");
  ASSERT_TRUE(broker.wait_for(5, 30s)) << survivor.output();
  database_file outside{file};
  const std::string held =
      "SELECT count(*) FROM outbox_events e JOIN worker_epochs w ON w.epoch = e.locked_by "
      "WHERE w.worker_id = 'victim' AND e.status = 'pending'";
  ASSERT_GE(outside.number(held), 5);
  victim.signal(SIGKILL);
  victim.wait();
  const auto killed = std::chrono::steady_clock::now();
  std::vector<std::string> on_the_wire;
  for (const auto& event : deaf.events()) on_the_wire.push_back(event.id);
  ASSERT_TRUE(all_published(60s)) << survivor.output();
  EXPECT_LT(std::chrono::steady_clock::now() - killed, 10s); // 200 events of 20 ms each and a lease of 2 s
  EXPECT_NE(survivor.output().find("taken over what 1 dead worker(s) left behind"), std::string::npos)
      << survivor.output();
  const auto accepted = broker.accepted();
  EXPECT_EQ(accepted.size(), 200U);
  EXPECT_EQ(broker.size(), 200U);
  for (const auto& id : on_the_wire) EXPECT_TRUE(accepted.contains(id)) << id;
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
