#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <memory>

#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "storage/outbox_table.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/database_view.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/test_database.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

class RelayProcesses : public on_every_database {
protected:
  temporary_directory directory;
  database_view outside{fresh.url()};
  int inserted = 0;

  RelayProcesses() { static_cast<void>(migrations::apply(*database::open(url, {}, 30s))); }

  void insert_events(int count) {
    const auto db = database::open(url, {}, 30s);
    outbox_table outbox{*db};
    db->begin();
    for (int i = 0; i < count; ++i) {
      event_record event;
      event.id = "E-" + std::to_string(inserted++);
      event.type = "test";
      event.source = "test";
      event.data = "{}";
      event.created_at = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
      outbox.insert(event);
    }
    db->commit();
  }
  /// `name` is its worker id, and where its output goes.
  child_process relay(const event_log& broker, const std::string& name) {
    return child_process{{romancy_program, "relay", "--database", fresh.url(), "--broker-url", broker.url(),
                          "--poll-interval", "50ms", "--lease", "2s", "--worker-id", name},
                         directory.file(name)};
  }
  bool all_published(std::chrono::seconds patience) {
    return outside.becomes("SELECT count(*) FROM outbox_events WHERE status <> 'published'", 0, patience);
  }
};

TEST_P(RelayProcesses, ShareTheWorkAndDeliverEachEventOnceWhileAllAreHealthy) {
  // Each has a broker of its own, which tells who delivered what.
  std::vector<std::unique_ptr<event_log>> brokers;
  std::vector<child_process> relays;
  for (const auto* name : {"one", "two", "three"}) {
    brokers.push_back(std::make_unique<event_log>(cli::answer_script{}, 1ms));
    relays.push_back(relay(*brokers.back(), name));
  }
  const auto said = [&] {
    std::string all;
    for (std::size_t i = 0; i < relays.size(); ++i)
      all += std::to_string(brokers[i]->size()) + " delivered: " + relays[i].output() + '\n';
    return all;
  };
  ASSERT_TRUE(outside.becomes("SELECT count(*) FROM worker_epochs", 3)) << said();
  const auto someone_is_idle = [&] {
    return std::any_of(brokers.begin(), brokers.end(), [](const auto& broker) { return broker->size() == 0; });
  };
  const auto end = std::chrono::steady_clock::now() + 60s;
  do {
    insert_events(250);
    ASSERT_TRUE(all_published(60s)) << said();
    ASSERT_LT(std::chrono::steady_clock::now(), end) << said();
  } while (inserted < 500 || someone_is_idle());
  std::size_t requests = 0;
  std::map<std::string, int> accepted;
  for (std::size_t i = 0; i < relays.size(); ++i) {
    relays[i].signal(SIGTERM);
    EXPECT_EQ(relays[i].wait(), 0) << relays[i].output();
    requests += brokers[i]->size();
    accepted.merge(brokers[i]->accepted());
  }
  EXPECT_EQ(requests, static_cast<std::size_t>(inserted));
  EXPECT_EQ(accepted.size(), static_cast<std::size_t>(inserted));
}

TEST_P(RelayProcesses, FinishWhatAKilledOneHadOnTheWireWithinTheLease) {
  insert_events(200);
  event_log deaf{cli::answer_script::random("hang:1", 1)}; // what the victim has claimed stays claimed
  event_log broker{{}, 20ms};
  auto victim = relay(deaf, "victim");
  ASSERT_TRUE(deaf.wait_for(5, 30s)) << victim.output();
  auto survivor = relay(broker, "survivor");
  ASSERT_TRUE(broker.wait_for(5, 30s)) << survivor.output();
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

TEST_P(RelayProcesses, TryWhatIsDueOnceAndEnd) {
  insert_events(25);
  event_log broker{cli::answer_script::parse("503,400")};
  const auto once = run_process({romancy_program, "relay", "--database", fresh.url(), "--broker-url", broker.url(),
                                 "--once", "--poll-interval", "1m"});
  EXPECT_EQ(once.code, 0) << once.output;
  EXPECT_EQ(outside.number("SELECT count(*) FROM outbox_events WHERE status = 'published'"), 23);
  EXPECT_EQ(outside.number("SELECT count(*) FROM outbox_events WHERE status = 'invalid'"), 1);
  EXPECT_EQ(outside.number("SELECT count(*) FROM outbox_events WHERE status = 'pending' AND retry_count = 1"), 1);
}

ROMANCY_ON_EVERY_DATABASE(RelayProcesses);

} // namespace
} // namespace romancy::testing
