#include "storage/epoch_table.hpp"

#include "storage/host_process.hpp"
#include "storage/timestamp.hpp"
#include "tests/storage/storage_fixture.hpp"

namespace romancy::testing {
namespace {

class EpochTable : public with_tables {
protected:
  /// Of a process on a host that nobody can look at.
  void insert(const std::string& epoch, time_point expires_at, const std::string& host = "elsewhere",
              const std::string& process = "1:1") {
    const auto started = to_text(now), expires = to_text(expires_at);
    commit([&] {
      db->session() << "INSERT INTO worker_epochs (epoch, worker_id, host, process, started_at, expires_at) VALUES "
                       "(:epoch, 'w', :host, :process, :started, :expires)",
          soci::use(epoch), soci::use(host), soci::use(process), soci::use(started), soci::use(expires);
    });
  }
  std::vector<std::string> remove_dead() {
    auto dead = commit([&] { return all->epochs.remove_dead("me", now); });
    std::sort(dead.begin(), dead.end());
    return dead;
  }
  bool exists(const std::string& epoch) {
    return commit([&] { return all->epochs.exists(epoch); });
  }
};

class EpochTableOfServers : public EpochTable {};

TEST_P(EpochTable, KnowsWhoIsRegistered) {
  EXPECT_FALSE(exists("me"));
  commit([&] { all->epochs.insert("me", "worker-1", now, 10s); });
  EXPECT_TRUE(exists("me"));
  EXPECT_FALSE(exists("ME"));
  commit([&] { all->epochs.remove("me"); });
  EXPECT_FALSE(exists("me"));
}

TEST_P(EpochTable, FindsDeadWorkersByTheirLeaseAndByTheirProcess) {
  commit([&] { all->epochs.insert("me", "w", now - 1h, 10s); }); // its own is not for itself to judge
  insert("silent", now - 1us);
  insert("busy", now);
  insert("killed", now + 9s, host_process::self().host, "999999:1");
  insert("alive", now + 9s, host_process::self().host, host_process::self().process);
  EXPECT_EQ(remove_dead(), (std::vector<std::string>{"killed", "silent"}));
  EXPECT_TRUE(remove_dead().empty());
  for (const auto* epoch : {"me", "busy", "alive"}) EXPECT_TRUE(exists(epoch)) << epoch;
}

TEST_P(EpochTable, KeepsWhoRenewsItsLeaseToTheMicrosecond) {
  insert("worker", now - 1us);
  commit([&] { all->epochs.renew("worker", now - 3s, 3s); });
  EXPECT_TRUE(remove_dead().empty());
  commit([&] { all->epochs.renew("worker", now - 3s - 1us, 3s); });
  EXPECT_EQ(remove_dead(), std::vector<std::string>{"worker"});
  commit([&] { all->epochs.renew("worker", now, 3s); }); // too late
  EXPECT_FALSE(exists("worker"));
}

TEST_P(EpochTableOfServers, KeepsWhoRenewsItsLeaseWhileOthersTakeItForDead) {
  insert("worker", now - 1s);
  const auto other = open({.busy_timeout = 1min});
  epoch_table others{*other};
  other->begin();
  others.renew("worker", now, 10s);
  EXPECT_TRUE(remove_dead().empty()); // it has seen the old lease, and does not wait for the row
  other->commit();
  EXPECT_TRUE(exists("worker"));
}

ROMANCY_ON_EVERY_DATABASE(EpochTable);
ROMANCY_ON_EVERY_SERVER(EpochTableOfServers);

} // namespace
} // namespace romancy::testing
