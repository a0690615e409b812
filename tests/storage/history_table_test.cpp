#include "storage/history_table.hpp"

#include <thread>

#include "tests/storage/storage_fixture.hpp"

namespace romancy::testing {
namespace {

class HistoryTable : public with_tables {
protected:
  HistoryTable() {
    commit([&] { all->instances.insert(instance("I"), "me", now); });
  }
  bool insert(const std::string& activity, const std::string& epoch, std::int64_t fence) {
    return commit([&] {
      return all->history.insert("I", {activity, 1, "ActivityCompleted", "1", 1}, epoch, fence, now);
    });
  }
  void take_over() {
    commit([&] {
      all->instances.release("me");
      ASSERT_EQ(all->instances.claim("you", {"w"}, 9, now).at(0).fence, 2);
    });
  }
};

class HistoryTableOfServers : public HistoryTable {};

TEST_P(HistoryTable, IsWrittenOnlyForTheOwnerWithTheRightFence) {
  EXPECT_TRUE(insert("a:1", "me", 1));
  EXPECT_FALSE(insert("a:2", "you", 1));
  EXPECT_FALSE(insert("a:2", "me", 0));
  EXPECT_FALSE(insert("a:2", "me", 2));
  take_over();
  EXPECT_FALSE(insert("a:2", "me", 1));
  EXPECT_FALSE(insert("a:2", "me", 2));
  EXPECT_TRUE(insert("a:2", "you", 2));
  EXPECT_EQ(number(*db, "SELECT count(*) FROM workflow_history"), 2);
}

TEST_P(HistoryTable, HoldsEachStepOnce) {
  EXPECT_TRUE(insert("a:1", "me", 1));
  take_over();
  db->begin();
  EXPECT_EQ(kind_of_failure([&] {
              all->history.insert("I", {"a:1", 1, "ActivityCompleted", "1", 1}, "you", 2, now);
            }),
            failure_kind::unique_violation);
  db->roll_back();
  commit([&] { all->instances.insert(instance("J"), "me", now); });
  EXPECT_TRUE(commit([&] {
    return all->history.insert("J", {"a:1", 1, "ActivityCompleted", "1", 1}, "me", 1, now);
  })); // of another instance
}

TEST_P(HistoryTable, GivesBackWhatWasWrittenInOrderOfCompletion) {
  commit([&] {
    all->history.insert("I", {"b:1", 2, "ActivityCompleted", R"({"x": "ü :y"})", 3}, "me", 1, now);
    all->history.insert("I", {"a:1", 1, "ActivityFailed", "no money", 1}, "me", 1, now + 1us);
  });
  const auto history = commit([&] { return all->history.load("I"); });
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0].activity_id, "b:1");
  EXPECT_EQ(history[0].position, 2);
  EXPECT_EQ(history[0].data, R"({"x": "ü :y"})");
  EXPECT_EQ(history[0].attempts, 3);
  EXPECT_EQ(history[1].event_type, "ActivityFailed");
}

TEST_P(HistoryTable, KeepsDetailsOfTheAttemptsOrNone) {
  const std::string details = R"({"duration_ms":1500,"errors":["not yet: \"ü\"\u0000"]})";
  commit([&] {
    all->history.insert("I", {"a:1", 1, "ActivityCompleted", "1", 3, details}, "me", 1, now);
    all->history.insert("I", {"b:1", 2, "ActivityCompleted", "1", 1}, "me", 1, now);
    all->history.insert("I", {"c:1", 3, "ActivityCompleted", "1", 1, details}, "me", 1, now);
  });
  const auto history = commit([&] { return all->history.list("I"); });
  ASSERT_EQ(history.size(), 3U);
  EXPECT_EQ(history[0].record.details, details);
  EXPECT_EQ(history[1].record.details, "");
  EXPECT_EQ(history[2].record.details, details);
  EXPECT_EQ(number(*db, "SELECT count(*) FROM workflow_history WHERE details IS NULL"), 1);
}

TEST_P(HistoryTable, ListsCompensationsOfTheLastStepFirst) {
  commit([&] {
    all->compensations.insert("I", {.activity_id = "a:1", .activity_name = "a", .arguments = "[1]"}, now);
    all->compensations.insert("I", {.activity_id = "b:1", .activity_name = "b", .arguments = "[]"}, now);
    all->compensations.insert("J", {.activity_id = "a:1", .activity_name = "a", .arguments = "[]"}, now);
  });
  auto remaining = commit([&] { return all->compensations.remaining("I"); });
  ASSERT_EQ(remaining.size(), 2U);
  EXPECT_EQ(remaining[0].activity_id, "b:1");
  EXPECT_EQ(remaining[1].arguments, "[1]");
  commit([&] { all->compensations.mark_done(remaining[0].id, now); });
  remaining = commit([&] { return all->compensations.remaining("I"); });
  ASSERT_EQ(remaining.size(), 1U);
  EXPECT_EQ(remaining[0].activity_id, "a:1");
}

TEST_P(HistoryTableOfServers, KeepsItsInstanceFromBeingTakenOverUntilItCommits) {
  const auto other = open({.busy_timeout = 1min});
  instance_table others{*other};
  db->begin();
  ASSERT_TRUE(all->history.insert("I", {"a:1", 1, "ActivityCompleted", "1", 1}, "me", 1, now));
  std::jthread taker{[&] {
    other->begin();
    others.release("me"); // waits
    EXPECT_EQ(others.claim("you", {"w"}, 9, now).size(), 1U);
    other->commit();
  }};
  db->commit();
  taker.join();
  EXPECT_FALSE(insert("a:2", "me", 1));
  EXPECT_EQ(commit([&] { return all->history.load("I"); }).size(), 1U);
}

TEST_P(HistoryTableOfServers, WritesNothingForAnOwnerThatIsBeingReplaced) {
  const auto other = open();
  instance_table others{*other};
  other->begin();
  others.release("me");
  std::jthread committer{[&, gate = other.get()] {
    wait_until_somebody_waits();
    gate->commit();
  }};
  EXPECT_FALSE(insert("a:1", "me", 1)); // waits
  committer.join();
  EXPECT_EQ(number(*db, "SELECT count(*) FROM workflow_history"), 0);
}

ROMANCY_ON_EVERY_DATABASE(HistoryTable);
ROMANCY_ON_EVERY_SERVER(HistoryTableOfServers);

} // namespace
} // namespace romancy::testing
