#include "storage/instance_table.hpp"

#include <map>
#include <set>
#include <thread>

#include "storage/timestamp.hpp"
#include "tests/storage/storage_fixture.hpp"

namespace romancy::testing {
namespace {

class InstanceTable : public with_tables {
protected:
  instance_table& instances = all->instances;

  void start(const std::string& id, const std::string& owner = "me", const std::string& workflow = "w") {
    ASSERT_TRUE(commit([&] { return instances.insert(instance(id, workflow), owner, now); }));
  }
  /// Ends it, or parks it, as its owner does.
  void finish(const std::string& id, instance_status status, const std::string& error = {},
              const std::string& owner = "me") {
    instance_record finished;
    finished.instance_id = id;
    finished.fence = 1;
    finished.status = status;
    finished.output = status == instance_status::completed ? "1" : "";
    finished.error = error;
    ASSERT_TRUE(commit([&] { return instances.finish(finished, owner, now); }));
  }
  std::vector<instance_record> claim(const std::string& epoch, int limit = 9) {
    return commit([&] { return instances.claim(epoch, {"w"}, limit, now); });
  }
  bool cancel(const std::string& id, const std::string& reason) {
    return commit([&] { return instances.request_cancel({id, reason}); });
  }
  bool begin_compensation(const std::string& id, const std::string& error) {
    return commit([&] { return instances.begin_compensation(id, "me", 1, error); });
  }
  int resume(const std::string& id, const std::string& workflow) {
    return commit([&] { return instances.resume(id, workflow); });
  }
  void release(const std::string& epoch) {
    commit([&] { instances.release(epoch); });
  }
  std::optional<instance_record> find(const std::string& id) {
    return commit([&] { return instances.find(id); });
  }
  std::string finished_at(const std::string& id) {
    std::string at;
    soci::indicator is = soci::i_null;
    db->session() << "SELECT finished_at FROM workflow_instances WHERE instance_id = :id", soci::use(id),
        soci::into(at, is);
    return is == soci::i_ok ? at : "";
  }
  std::string requests(const std::string& owner) {
    std::string text;
    for (const auto& request : commit([&] { return instances.news(owner); }))
      text += request.instance_id + '=' + request.reason + ' ';
    return text;
  }
  /// "running no money", what is there of status, error and reason to cancel.
  std::string state(const std::string& id) {
    const auto found = find(id).value_or(instance_record{});
    std::string text{to_string(found.status)};
    if (!found.error.empty()) text += ", " + found.error;
    if (!found.cancel_reason.empty()) text += ", cancel: " + found.cancel_reason;
    return text;
  }
};

class InstanceTableOfServers : public InstanceTable {
protected:
  std::unique_ptr<database> other = open();
  instance_table others{*other};
};

TEST_P(InstanceTable, HoldsEachIdOnce) {
  start("A");
  EXPECT_FALSE(commit([&] { return instances.insert(instance("A", "another"), "you", now); }));
  const auto found = find("A");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->workflow, "w");
  EXPECT_EQ(found->fence, 1);
  EXPECT_EQ(found->input, "[]");
  EXPECT_EQ(found->output, "");
  EXPECT_FALSE(find("a"));
}

TEST_P(InstanceTable, GivesOutTheOldestFirstAndOnlyOnceWithANewFence) {
  for (const auto* id : {"C", "A", "B"}) {
    start(id);
    now += 1us;
  }
  start("X", "me", "other");
  EXPECT_TRUE(claim("you").empty()); // they are owned
  release("me");
  const auto first = claim("you", 2);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].instance_id, "C");
  EXPECT_EQ(first[1].instance_id, "A");
  EXPECT_EQ(first[0].fence, 2);
  EXPECT_EQ(first[0].status, instance_status::running);
  EXPECT_EQ(claim("they").size(), 1U);
  EXPECT_TRUE(claim("they").empty());
}

TEST_P(InstanceTable, LetsOnlyTheOwnerWithTheRightFenceFinish) {
  start("A");
  release("me");
  ASSERT_EQ(claim("you").size(), 1U);
  auto finished = instance("A");
  finished.status = instance_status::completed;
  finished.output = "1";
  const auto finish_as = [&](const std::string& epoch, std::int64_t fence) {
    finished.fence = fence;
    return commit([&] { return instances.finish(finished, epoch, now + 5us); });
  };
  EXPECT_FALSE(finish_as("me", 1));
  EXPECT_FALSE(finish_as("you", 1));
  EXPECT_TRUE(finish_as("you", 2));
  EXPECT_EQ(find("A")->output, "1");
  EXPECT_FALSE(finish_as("me", 1));
  EXPECT_TRUE(claim("you").empty());
  EXPECT_EQ(to_time_point(finished_at("A")), now + 5us);
}

TEST_P(InstanceTable, ReleasesOneOfAnEpoch) {
  start("A");
  start("B");
  commit([&] { instances.release("me", "B"); });
  commit([&] { instances.release("you", "A"); });
  const auto claimed = claim("you");
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].instance_id, "B");
}

TEST_P(InstanceTable, CountsWhatIsUnfinished) {
  start("A");
  start("B");
  start("C", "me", "other");
  finish("A", instance_status::completed);
  const auto unfinished = commit([&] { return instances.unfinished(); });
  EXPECT_EQ((std::map<std::string, long long>{unfinished.begin(), unfinished.end()}),
            (std::map<std::string, long long>{{"w", 1}, {"other", 1}}));
}

TEST_P(InstanceTable, IsAskedByTheOwnerForWhatIsToBeCancelled) {
  for (const auto* id : {"A", "B"}) start(id);
  start("C", "you");
  EXPECT_EQ(requests("me"), "");
  EXPECT_TRUE(cancel("A", "first"));
  EXPECT_TRUE(cancel("A", "second")); // asking twice is asking once
  EXPECT_TRUE(cancel("C", "third"));
  EXPECT_EQ(state("A"), "running, cancel: first");
  EXPECT_EQ(requests("me"), "A=first ");
  EXPECT_EQ(requests("you"), "C=third ");
  ASSERT_TRUE(begin_compensation("A", "cancelled: first"));
  EXPECT_EQ(requests("me"), ""); // it is being undone
  EXPECT_TRUE(cancel("A", "fourth"));
  EXPECT_EQ(find("A")->cancel_reason, "first");
  finish("A", instance_status::cancelled, "first");
  EXPECT_EQ(state("A"), "cancelled, first, cancel: first");
  EXPECT_TRUE(cancel("A", "fifth"));
  EXPECT_EQ(state("A"), "cancelled, first, cancel: first");
}

TEST_P(InstanceTable, TellsWhoeverClaimsAnInstanceThatItIsToBeCancelled) {
  start("A");
  now += 1us;
  start("B");
  release("me");
  EXPECT_TRUE(cancel("A", "while nobody runs it"));
  EXPECT_EQ(requests("me"), "");
  const auto claimed = claim("you");
  ASSERT_EQ(claimed.size(), 2U);
  EXPECT_EQ(claimed[0].cancel_reason, "while nobody runs it");
  EXPECT_EQ(claimed[1].cancel_reason, "");
  EXPECT_EQ(requests("you"), ""); // it was told when it claimed it
  EXPECT_EQ(requests(""), "");
}

TEST_P(InstanceTable, CancelsNoInstanceThatHasEndedOrIsUndoneForAFailureOfItsOwn) {
  for (const auto* id : {"completed", "failed", "failing", "too late"}) start(id);
  finish("completed", instance_status::completed);
  ASSERT_TRUE(begin_compensation("failed", "no money"));
  finish("failed", instance_status::failed, "no money");
  ASSERT_TRUE(begin_compensation("failing", "no money"));
  for (const auto* id : {"completed", "failed", "failing"}) {
    const auto before = state(id);
    EXPECT_FALSE(cancel(id, "an operator")) << id;
    EXPECT_EQ(state(id), before);
  }
  // It was asked for, but the instance was just completing.
  EXPECT_TRUE(cancel("too late", "an operator"));
  finish("too late", instance_status::completed);
  EXPECT_FALSE(cancel("too late", "an operator"));
  EXPECT_NE(refusal<storage_failure>([&] { cancel("Z", "a typo"); }).find("there is no instance Z"), std::string::npos);
}

TEST_P(InstanceTable, LetsAParkedInstanceBeUndoneWhenItIsCancelled) {
  start("A");
  finish("A", instance_status::parked, "history disagrees");
  EXPECT_EQ(state("A"), "parked, history disagrees");
  EXPECT_TRUE(claim("you").empty());
  EXPECT_TRUE(cancel("A", "an operator"));
  EXPECT_EQ(finished_at("A"), "");
  const auto claimed = claim("you");
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].status, instance_status::compensating);
  EXPECT_EQ(claimed[0].cancel_reason, "an operator");
  EXPECT_EQ(resume("A", ""), 0); // it is not parked any more
}

TEST_P(InstanceTable, KeepsTheFirstReasonAlsoOfWhatIsParkedMeanwhile) {
  start("A");
  EXPECT_TRUE(cancel("A", "first"));
  ASSERT_TRUE(begin_compensation("A", "cancelled: first"));
  finish("A", instance_status::parked, "there is no compensation");
  EXPECT_TRUE(cancel("A", "second"));
  EXPECT_EQ(find("A")->cancel_reason, "first");
  EXPECT_EQ(find("A")->status, instance_status::compensating);
}

TEST_P(InstanceTable, LetsInstancesGoOnWithWhatTheyWereParkedIn) {
  start("running");
  finish("running", instance_status::parked, "history disagrees");
  start("failing");
  ASSERT_TRUE(begin_compensation("failing", "no money"));
  finish("failing", instance_status::parked, "there is no compensation");
  start("cancelled");
  EXPECT_TRUE(cancel("cancelled", "an operator"));
  ASSERT_TRUE(begin_compensation("cancelled", "cancelled: an operator"));
  finish("cancelled", instance_status::parked, "there is no compensation");
  EXPECT_EQ(state("failing"), "parked, there is no compensation"); // what is to be mended
  EXPECT_FALSE(finished_at("failing").empty());
  EXPECT_EQ(resume("", ""), 3);
  EXPECT_EQ(state("running"), "running");
  EXPECT_EQ(state("failing"), "compensating, no money"); // what it is undone for
  EXPECT_EQ(state("cancelled"), "compensating, cancelled: an operator, cancel: an operator");
  EXPECT_EQ(finished_at("failing"), "");
  EXPECT_EQ(claim("you").size(), 3U);
}

TEST_P(InstanceTable, LetsInstancesGoOnOnlyIfTheyAreParkedAndMeant) {
  start("A");
  for (const auto* id : {"B", "C"}) {
    start(id);
    finish(id, instance_status::parked, "history disagrees");
  }
  start("D", "me", "other");
  finish("D", instance_status::parked, "history disagrees");
  start("E");
  finish("E", instance_status::failed, "no money");
  for (const auto* id : {"A", "E", "Z"}) EXPECT_EQ(resume(id, ""), 0) << id;
  EXPECT_EQ(resume("B", "other"), 0);
  EXPECT_EQ(resume("B", "w"), 1);
  EXPECT_EQ(resume("", "w"), 1); // C
  EXPECT_EQ(state("D"), "parked, history disagrees");
  EXPECT_EQ(resume("", ""), 1);
  EXPECT_EQ(state("E"), "failed, no money");
  EXPECT_EQ(number(*db, "SELECT count(*) FROM workflow_instances WHERE status = 'running'"), 4);
}

TEST_P(InstanceTable, ForgetsTheReasonOfWhatGoesOnAndCompletes) {
  start("A");
  finish("A", instance_status::parked, "history disagrees");
  EXPECT_EQ(resume("A", ""), 1);
  const auto claimed = claim("you");
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].error, "");
  auto finished = claimed[0];
  finished.status = instance_status::completed;
  finished.output = "1";
  ASSERT_TRUE(commit([&] { return instances.finish(finished, "you", now); }));
  EXPECT_EQ(state("A"), "completed");
}

TEST_P(InstanceTableOfServers, IsClaimedByTwoAtOnceWithoutWaiting) {
  for (int i = 0; i < 40; ++i) {
    start("I-" + std::to_string(i));
    now += 1us;
  }
  release("me");
  db->begin();
  other->begin();
  const auto first = instances.claim("one", {"w"}, 10, now);
  const auto second = others.claim("two", {"w"}, 10, now);
  const auto third = instances.claim("one", {"w"}, 10, now);
  const auto fourth = others.claim("two", {"w"}, 10, now);
  db->commit();
  other->commit();
  std::set<std::string> different;
  for (const auto* claimed : {&first, &second, &third, &fourth}) {
    EXPECT_EQ(claimed->size(), 10U);
    for (const auto& one : *claimed) different.insert(one.instance_id);
  }
  EXPECT_EQ(different.size(), 40U);
}

TEST_P(InstanceTableOfServers, IsClaimedWithoutWaitingForOneThatAnotherTransactionHolds) {
  start("A");
  start("B");
  release("me");
  other->begin();
  ASSERT_TRUE(others.request_cancel({"A", "an operator"}));
  const auto claimed = claim("you");
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].instance_id, "B");
  other->commit();
  EXPECT_EQ(claim("you").at(0).cancel_reason, "an operator");
}

TEST_P(InstanceTableOfServers, IsStartedOnceByTwoAtOnce) {
  other->begin();
  ASSERT_TRUE(others.insert(instance("A"), "you", now));
  std::jthread committer{[&] {
    wait_until_somebody_waits();
    other->commit();
  }};
  EXPECT_FALSE(commit([&] { return instances.insert(instance("A"), "me", now); })); // waits
}

ROMANCY_ON_EVERY_DATABASE(InstanceTable);
ROMANCY_ON_EVERY_SERVER(InstanceTableOfServers);

} // namespace
} // namespace romancy::testing
