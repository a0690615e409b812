#include "storage/old_rows.hpp"

#include <set>

#include "storage/timestamp.hpp"
#include "tests/storage/storage_fixture.hpp"

namespace romancy::testing {
namespace {

using enum retention_target;

const std::vector<std::string> event_statuses{"pending", "published", "failed", "invalid", "expired"};
const std::vector<std::string> instance_statuses{"running", "compensating", "completed", "failed", "cancelled", "parked"};

class OldRows : public with_tables {
protected:
  old_rows old{*db};

  /// Of each status one that was written `age` ago: "pending-2s".
  void write_events(std::chrono::seconds age, const std::string& of_instance = {}) {
    const auto time = to_text(now - age);
    for (const auto& status : event_statuses) {
      const auto id = status + '-' + std::to_string(age.count()) + 's' + of_instance;
      commit([&] {
        auto record = event(id);
        record.created_at = now - age;
        record.instance_id = of_instance;
        all->outbox.insert(record);
        db->session() << "UPDATE outbox_events SET status = :status WHERE event_id = :id", soci::use(status),
            soci::use(id);
        if (status == "published")
          db->session() << "UPDATE outbox_events SET published_at = :time WHERE event_id = :id", soci::use(time),
              soci::use(id);
      });
    }
  }
  /// With a row of history and a compensation entry.
  void write_instance(const std::string& id, const std::string& status, std::chrono::seconds age) {
    commit([&] {
      ASSERT_TRUE(all->instances.insert(instance(id), "me", now - age));
      ASSERT_TRUE(all->history.insert(id, {"step:1", 1, "ActivityCompleted", "1", 1}, "me", 1, now - age));
      all->compensations.insert(id, {0, "step:1", "step", "[]"}, now - age);
      const bool settled = status != "running" && status != "compensating";
      std::string time = to_text(now - age), owner = "me";
      auto ended = settled ? soci::i_ok : soci::i_null, owned = settled ? soci::i_null : soci::i_ok;
      db->session() << "UPDATE workflow_instances SET status = :status, finished_at = :time, owner_epoch = :owner WHERE "
                       "instance_id = :id",
          soci::use(status), soci::use(time, ended), soci::use(owner, owned), soci::use(id);
    });
  }
  /// Of each status one that ended, or was started, `age` ago.
  void write_instances(std::chrono::seconds age) {
    for (const auto& status : instance_statuses)
      write_instance(status + '-' + std::to_string(age.count()) + 's', status, age);
  }
  int remove(retention_target target, std::chrono::microseconds age, int limit = 100) {
    return commit([&] { return old.remove(target, now - age, limit); });
  }
  std::set<std::string> left(const std::string& column, const std::string& table) {
    const auto found = texts(*db, "SELECT " + column + " FROM " + table);
    if (db->in_transaction()) db->roll_back();
    return {found.begin(), found.end()};
  }
  std::set<std::string> events() { return left("event_id", "outbox_events"); }
  std::set<std::string> instances() { return left("instance_id", "workflow_instances"); }
};
using ids = std::set<std::string>;

ids without(ids all, const ids& some) {
  for (const auto& id : some) EXPECT_EQ(all.erase(id), 1U) << id;
  return all;
}

TEST_P(OldRows, OfDeliveredEventsAreThosePublishedBeforeTheTimeAndNothingElse) {
  write_events(1s);
  write_events(3s);
  write_instances(3s);
  const auto before = events();
  const auto all_instances = instances();
  ASSERT_EQ(before.size(), 10U);
  EXPECT_EQ(remove(delivered_events, 2s), 1);
  EXPECT_EQ(events(), without(before, {"published-3s"}));
  EXPECT_EQ(remove(delivered_events, 2s), 0);
  EXPECT_EQ(instances(), all_instances);
}

TEST_P(OldRows, OfDeliveredEventsCountFromTheirDelivery) {
  write_events(10s);
  const auto just_now = to_text(now - 1s);
  commit([&] {
    db->session() << "UPDATE outbox_events SET published_at = :time WHERE status = 'published'", soci::use(just_now);
  });
  EXPECT_EQ(remove(delivered_events, 1s), 0);
  EXPECT_EQ(remove(delivered_events, 1s - 1us), 1);
}

TEST_P(OldRows, OfDeadEventsAreThoseFailedInvalidOrExpiredAndNothingElse) {
  write_events(1s);
  write_events(3s);
  const auto before = events();
  EXPECT_EQ(remove(dead_events, 2s), 3);
  EXPECT_EQ(events(), without(before, {"failed-3s", "invalid-3s", "expired-3s"}));
}

TEST_P(OldRows, OfFinishedInstancesAreThoseOfTheThreeFinalStatusesWithAllThatBelongsToThem) {
  write_instances(1s);
  write_instances(3s);
  write_events(3s);
  const auto before = instances();
  const auto all_events = events();
  ASSERT_EQ(before.size(), 12U);
  EXPECT_EQ(remove(finished_instances, 2s), 3);
  const auto kept = without(before, {"completed-3s", "failed-3s", "cancelled-3s"});
  EXPECT_EQ(instances(), kept);
  EXPECT_EQ(left("instance_id", "workflow_history"), kept);
  EXPECT_EQ(left("instance_id", "workflow_compensations"), kept);
  EXPECT_EQ(events(), all_events);
}

TEST_P(OldRows, OfFinishedInstancesAreNoneWhoseEventsArePending) {
  write_instance("waits", "completed", 3s);
  write_events(3s, "waits");
  write_instance("done", "completed", 3s);
  write_events(3s, "done");
  commit([&] {
    db->session() << "UPDATE outbox_events SET status = 'failed' WHERE status = 'pending' AND instance_id = 'done'";
  });
  EXPECT_EQ(remove(finished_instances, 2s), 1);
  EXPECT_EQ(instances(), ids{"waits"});
  EXPECT_EQ(left("instance_id", "workflow_history"), ids{"waits"});
  commit([&] { db->session() << "UPDATE outbox_events SET status = 'published' WHERE status = 'pending'"; });
  EXPECT_EQ(remove(finished_instances, 2s), 1);
  EXPECT_EQ(events().size(), 10U); // they have an age of their own
}

TEST_P(OldRows, AreRemovedTheOldestFirstAndNotMoreThanTheLimit) {
  for (int i = 1; i <= 7; ++i) write_instance("I-" + std::to_string(i), "completed", std::chrono::seconds{20 - i});
  EXPECT_EQ(remove(finished_instances, 2s, 3), 3);
  EXPECT_EQ(instances(), (ids{"I-4", "I-5", "I-6", "I-7"}));
  EXPECT_EQ(remove(finished_instances, 2s, 3), 3);
  EXPECT_EQ(remove(finished_instances, 2s, 3), 1);
  EXPECT_TRUE(instances().empty());
  EXPECT_TRUE(left("instance_id", "workflow_history").empty());
}

TEST_P(OldRows, AreJudgedToTheMicrosecond) {
  write_instance("I", "failed", 2s);
  EXPECT_EQ(remove(finished_instances, 2s), 0); // as old as that, and not older
  EXPECT_EQ(remove(finished_instances, 2s - 1us), 1);
}

TEST_P(OldRows, AreCountedAsTheyWouldBeRemoved) {
  write_instances(1s);
  write_instances(3s);
  write_events(1s);
  write_events(3s, "completed-3s");
  commit([&] {
    ASSERT_TRUE(all->inbox.insert("s", "old", "t", now - 3s));
    ASSERT_TRUE(all->inbox.insert("s", "new", "t", now - 1s));
    all->channels.send("completed-3s", "c", "{}", now - 3s); // has ended
    all->channels.send("nobody", "c", "{}", now - 3s);
    all->channels.send("nobody", "c", "{}", now - 1s);
  });
  EXPECT_EQ(commit([&] { return old.count(retention_target::inbox, now - 2s); }), 2);
  for (const auto target : all_retention_targets) {
    const auto expected = commit([&] { return old.count(target, now - 2s); });
    EXPECT_EQ(remove(target, 2s), expected) << to_string(target);
    EXPECT_GT(expected, 0) << to_string(target);
  }
  EXPECT_EQ(texts(*db, "SELECT event_id FROM inbox_events"), std::vector<std::string>{"new"});
  EXPECT_EQ(number(*db, "SELECT count(*) FROM channel_messages"), 1);
}

TEST_P(OldRows, AreRemovedOnlyInsideATransaction) {
  write_instances(3s);
  EXPECT_NE(refusal<storage_failure>([&] { old.remove(finished_instances, now, 1); }).find("outside of a transaction"),
            std::string::npos);
  EXPECT_EQ(instances().size(), 6U);
}

TEST_P(OldRows, ComeBackWhenTheTransactionIsRolledBack) {
  write_instances(3s);
  db->begin();
  EXPECT_EQ(old.remove(finished_instances, now - 2s, 100), 3);
  db->roll_back();
  EXPECT_EQ(instances().size(), 6U);
  EXPECT_EQ(left("instance_id", "workflow_history").size(), 6U);
}

class OldRowsOfServers : public OldRows {
protected:
  std::unique_ptr<database> other = open();
};

TEST_P(OldRowsOfServers, AreRemovedByTwoAtOnceWithoutWaiting) {
  for (int i = 0; i < 8; ++i) write_instance("I-" + std::to_string(i), "completed", 3s);
  for (int i = 0; i < 8; ++i) write_events(std::chrono::seconds{3 + i});
  for (const auto target : {finished_instances, delivered_events}) {
    db->begin();
    other->begin();
    EXPECT_EQ(old.remove(target, now - 2s, 4), 4);
    EXPECT_EQ(old_rows{*other}.remove(target, now - 2s, 100), 4);
    db->commit();
    other->commit();
  }
  EXPECT_TRUE(instances().empty());
  EXPECT_TRUE(left("instance_id", "workflow_history").empty());
}

TEST_P(OldRowsOfServers, AreRemovedWithoutWaitingForWhatSomebodyHolds) {
  write_events(3s);
  write_events(4s);
  other->begin();
  other->session() << "UPDATE outbox_events SET last_error = 'x' WHERE event_id = 'published-4s'";
  EXPECT_EQ(remove(delivered_events, 2s), 1);
  EXPECT_EQ(events().count("published-4s"), 1U);
  other->commit();
  EXPECT_EQ(remove(delivered_events, 2s), 1);
}

ROMANCY_ON_EVERY_DATABASE(OldRows);
ROMANCY_ON_EVERY_SERVER(OldRowsOfServers);

} // namespace
} // namespace romancy::testing
