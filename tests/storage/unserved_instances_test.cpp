#include "storage/unserved_instances.hpp"

#include <algorithm>

#include "tests/storage/storage_fixture.hpp"

namespace romancy::testing {
namespace {

using names = std::vector<std::string>;

class UnservedInstances : public with_tables {
protected:
  unserved_instances unserved{*db};

  void insert(const std::string& id, const std::string& workflow = "w", const std::string& epoch = "") {
    ASSERT_TRUE(commit([&] { return all->instances.insert(instance(id, workflow), epoch, now); }));
  }
  unserved_workflow leave(time_point at, int limit = 100, const std::string& workflow = "w") {
    auto left = commit([&] { return unserved.leave(workflow, at, 10s, limit); });
    std::sort(left.parked.begin(), left.parked.end());
    return left;
  }
  names workflows() {
    auto found = unserved.workflows(now);
    std::sort(found.begin(), found.end());
    return found;
  }
  std::string status(const std::string& id) { return std::string{to_string(all->instances.find(id)->status)}; }
};
class UnservedInstancesOfServers : public UnservedInstances {};

TEST_P(UnservedInstances, AreThoseThatAreDueAndThatNobodyOwns) {
  insert("due", "due");
  insert("owned", "owned", "me");
  insert("later", "later", "me");
  insert("never", "never", "me");
  commit([&] {
    all->instances.rest("later", now + 1us);
    all->instances.rest("never", {});
  });
  EXPECT_EQ(workflows(), names{"due"});
  now += 1us;
  EXPECT_EQ(workflows(), (names{"due", "later"}));
}

TEST_P(UnservedInstances, AreMarkedFirstAndParkedAfterTheGraceTimeToTheMicrosecond) {
  insert("A");
  insert("B", "other");
  EXPECT_EQ(leave(now).marked, 1);
  EXPECT_EQ(leave(now + 10s - 1us).parked, names{});
  EXPECT_EQ(leave(now + 10s - 1us).marked, 0);
  EXPECT_EQ(status("A"), "running");
  const auto parked = leave(now + 10s);
  EXPECT_EQ(parked.parked, names{"A"});
  EXPECT_EQ(status("A"), "parked");
  EXPECT_EQ(all->instances.find("A")->error, parked.reason);
  EXPECT_EQ(parked.reason, "no running app serves the workflow 'w': start one that does, it then goes on by itself");
  EXPECT_EQ(status("B"), "running");
  EXPECT_EQ(workflows(), (names{"other", "w"}));
}

TEST_P(UnservedInstances, AreParkedAndGoOnNoMoreThanTheLimitAtOnce) {
  for (const auto* id : {"A", "B", "C"}) insert(id);
  EXPECT_TRUE(leave(now, 2).more);
  EXPECT_FALSE(leave(now, 2).more);
  EXPECT_EQ(leave(now + 10s, 2).parked.size(), 2U);
  EXPECT_EQ(leave(now + 10s, 2).parked.size(), 1U);
  EXPECT_EQ(commit([&] { return unserved.let_go_on({"other"}, 2); }), 0);
  EXPECT_EQ(commit([&] { return unserved.let_go_on({"other", "w"}, 2); }), 2);
  EXPECT_EQ(commit([&] { return unserved.let_go_on({"w"}, 2); }), 1);
  for (const auto* id : {"A", "B", "C"}) EXPECT_EQ(status(id), "running") << id;
  EXPECT_EQ(commit([&] { return all->instances.claim("me", {"w"}, 10, now).size(); }), 3U);
  EXPECT_EQ(
      number(*db, "SELECT count(*) FROM workflow_instances WHERE park_reason IS NOT NULL OR finished_at IS NOT NULL"), 0);
}

TEST_P(UnservedInstances, LoseTheirMarkWhenTheyAreClaimedCancelledOrResumed) {
  const auto marks = [&] {
    return number(*db, "SELECT count(*) FROM workflow_instances WHERE unserved_since IS NOT NULL");
  };
  insert("A");
  leave(now);
  EXPECT_EQ(marks(), 1);
  EXPECT_EQ(commit([&] { return all->instances.claim("me", {"w"}, 1, now).size(); }), 1U);
  EXPECT_EQ(marks(), 0);
  for (const auto* id : {"B", "C"}) insert(id);
  leave(now);
  leave(now + 10s);
  EXPECT_EQ(marks(), 2);
  EXPECT_TRUE(commit([&] { return all->instances.request_cancel({"B", "enough", ""}); }));
  EXPECT_EQ(status("B"), "compensating");
  EXPECT_EQ(marks(), 1);
  EXPECT_EQ(commit([&] { return all->instances.resume("C", ""); }), 1);
  EXPECT_EQ(marks(), 0);
}

/// A deadlock, or a wait, would hold up everything else that is written.
TEST_P(UnservedInstancesOfServers, ArePassedOverWhileAnotherTransactionHoldsThem) {
  insert("A");
  insert("B");
  const auto other = open();
  other->begin();
  other->session() << "UPDATE workflow_instances SET wake_at = '2025-01-01 00:00:00' WHERE instance_id = 'A'";
  EXPECT_EQ(leave(now).marked, 1);
  EXPECT_EQ(leave(now + 10s).parked, names{"B"});
  other->session() << "UPDATE workflow_instances SET wake_at = '2025-01-01 00:00:00' WHERE instance_id = 'B'";
  EXPECT_EQ(commit([&] { return unserved.let_go_on({"w"}, 10); }), 0);
  other->commit();
  EXPECT_EQ(commit([&] { return unserved.let_go_on({"w"}, 10); }), 1);
}

TEST_P(UnservedInstances, AreOfWorkflowsThatNoEpochNames) {
  const auto served = [&] { return all->epochs.served(); };
  EXPECT_EQ(served(), std::set<std::string>{});
  commit([&] {
    all->epochs.insert("one", "w", now, 10s, {"w", "w_1"});
    all->epochs.insert("relay", "w", now, 10s);
    all->epochs.insert("two", "w", now, 10s, {"w", "v.2"});
  });
  EXPECT_EQ(served(), (std::set<std::string>{"v.2", "w", "w_1"}));
  commit([&] { all->epochs.remove("two"); });
  EXPECT_EQ(served(), (std::set<std::string>{"w", "w_1"}));
  db->session() << "UPDATE worker_epochs SET workflows = NULL WHERE epoch = 'relay'"; // an older program
  EXPECT_EQ(served(), std::nullopt);
}

ROMANCY_ON_EVERY_DATABASE(UnservedInstances);
ROMANCY_ON_EVERY_SERVER(UnservedInstancesOfServers);

} // namespace
} // namespace romancy::testing
