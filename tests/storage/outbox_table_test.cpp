#include "storage/outbox_table.hpp"

#include <functional>
#include <set>

#include "storage/outbox_reader.hpp"
#include "storage/timestamp.hpp"
#include "tests/storage/storage_fixture.hpp"
#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

class OutboxTable : public with_tables {
protected:
  void insert(const std::vector<std::string>& ids) {
    commit([&] {
      for (const auto& id : ids) all->outbox.insert(event(id));
    });
  }
  std::vector<event_record> claim(const std::string& epoch, int limit = 9) {
    return commit([&] { return all->outbox.claim(epoch, limit, now); });
  }
  bool mark(const std::string& epoch, const event_mark& what) {
    return commit([&] { return all->outbox.mark(epoch, what, now); });
  }
  static std::string ids(const std::vector<event_record>& events) {
    std::string all;
    for (const auto& one : events) all += (all.empty() ? "" : " ") + one.id;
    return all;
  }
  outbox_event stored(const std::string& id) {
    return commit([&] { return outbox_reader{*db}.list({.event_id = id}).at(0); });
  }
};

/// Two connections that may both be writing: not on SQLite, where one waits for the other.
class OutboxTableOfServers : public OutboxTable {
protected:
  std::unique_ptr<database> other = open();
  tables others{*other};
};

TEST_P(OutboxTable, IsClaimedInOrderAndOnlyOnce) {
  insert({"c", "a", "b"});
  EXPECT_EQ(ids(claim("one", 2)), "c a");
  EXPECT_EQ(ids(claim("two")), "b");
  EXPECT_EQ(ids(claim("two")), "");
}

TEST_P(OutboxTable, IsClaimedOnlyInsideATransaction) {
  insert({"a"});
  for (const auto& claim_outside :
       std::vector<std::function<void()>>{[&] { static_cast<void>(all->outbox.claim("one", 9, now)); },
                                          [&] { static_cast<void>(all->instances.claim("one", {"w"}, 9, now)); }})
    EXPECT_EQ(refusal<storage_failure>(claim_outside), "cannot claim outside of a transaction: begin one, and commit it");
  EXPECT_EQ(ids(claim("one")), "a");
}

TEST_P(OutboxTable, GivesBackWhatWasInserted) {
  auto full = event("full");
  full.type = "order.created";
  full.source = "order-service";
  full.data = R"({"a": [1, "ü", "\u0000"], "b": ":x ?"})";
  full.data_encoding = "text";
  full.content_type = "text/plain";
  full.attributes = R"({"subject":"x"})";
  full.instance_id = "I";
  full.activity_id = "a:1";
  full.created_at = now + 123456us;
  commit([&] {
    all->outbox.insert(full);
    all->outbox.insert(event("bare"));
  });
  EXPECT_EQ(ids(claim("one")), "bare"); // the other is due later
  const auto claimed = commit([&] { return all->outbox.claim("one", 9, now + 1s); });
  ASSERT_EQ(claimed.size(), 1U);
  const auto& found = claimed[0];
  EXPECT_EQ(found.type, full.type);
  EXPECT_EQ(found.source, full.source);
  EXPECT_EQ(found.data, full.data);
  EXPECT_EQ(found.data_encoding, full.data_encoding);
  EXPECT_EQ(found.content_type, full.content_type);
  EXPECT_EQ(found.attributes, full.attributes);
  EXPECT_EQ(found.instance_id, full.instance_id);
  EXPECT_EQ(found.activity_id, full.activity_id);
  EXPECT_EQ(found.created_at, full.created_at);
  EXPECT_EQ(found.retry_count, 0);
  EXPECT_EQ(found.last_error, "");
  EXPECT_EQ(found.unreadable, "");
  EXPECT_EQ(stored("bare").instance_id, "");
  EXPECT_EQ(stored("bare").attributes, "");
}

TEST_P(OutboxTable, RefusesAnEventIdThatIsTaken) {
  insert({"a"});
  db->begin();
  const auto why = refusal<storage_failure>([&] { all->outbox.insert(event("a")); });
  EXPECT_NE(why.find("already holds an event with the id 'a'"), std::string::npos) << why;
  db->roll_back();
}

TEST_P(OutboxTable, IsMarkedOnlyByWhoHoldsTheClaim) {
  insert({"a", "b"});
  ASSERT_EQ(ids(claim("one")), "a b");
  EXPECT_FALSE(mark("two", {"a", outbox_status::published, false, "", {}}));
  EXPECT_TRUE(mark("one", {"a", outbox_status::published, false, "", {}}));
  EXPECT_FALSE(mark("one", {"a", outbox_status::failed, false, "", {}})); // final
  EXPECT_EQ(stored("a").status, outbox_status::published);
  EXPECT_EQ(stored("a").published_at, now);
  commit([&] { all->outbox.release("one"); });
  ASSERT_EQ(ids(claim("two")), "b");
  EXPECT_FALSE(mark("one", {"b", outbox_status::published, false, "", {}})); // it is another's now
  EXPECT_TRUE(mark("two", {"b", outbox_status::invalid, true, "404", {}}));
  EXPECT_EQ(stored("b").status, outbox_status::invalid);
  EXPECT_EQ(stored("b").last_error, "404");
  EXPECT_EQ(stored("b").retry_count, 1);
}

TEST_P(OutboxTable, IsDueAgainWhenItIsToBeTriedAgain) {
  insert({"a"});
  ASSERT_EQ(ids(claim("one")), "a");
  EXPECT_TRUE(mark("one", {"a", outbox_status::pending, true, "503", now + 1s}));
  EXPECT_FALSE(mark("one", {"a", outbox_status::published, false, "", {}})); // its claim has ended
  EXPECT_EQ(ids(claim("one")), "");
  const auto again = commit([&] { return all->outbox.claim("one", 9, now + 1s); });
  ASSERT_EQ(ids(again), "a");
  EXPECT_EQ(again[0].retry_count, 1);
  EXPECT_EQ(again[0].last_error, "503");
  EXPECT_TRUE(mark("one", {"a", outbox_status::published, false, "", {}}));
  EXPECT_EQ(stored("a").last_error, "");
}

TEST_P(OutboxTable, ReleasesWhatOneEpochHolds) {
  insert({"a", "b"});
  ASSERT_EQ(ids(claim("one", 1)), "a");
  ASSERT_EQ(ids(claim("two", 1)), "b");
  commit([&] { all->outbox.release("one"); });
  EXPECT_EQ(ids(claim("three")), "a");
}

TEST_P(OutboxTable, RedrivesOnlyWhatIsDead) {
  insert({"failed", "published", "pending", "invalid", "expired"});
  commit([&] {
    for (const std::string status : {"failed", "published", "invalid", "expired"})
      db->session() << "UPDATE outbox_events SET status = :status, retry_count = 3 WHERE event_id = :id",
          soci::use(status), soci::use(status);
  });
  const auto redrive = [&](const std::string& id, const std::string& type, const std::string& status) {
    return commit([&] { return all->outbox.redrive(id, type, status, now); });
  };
  EXPECT_EQ(redrive("published", "", ""), 0);
  EXPECT_EQ(redrive("", "another", ""), 0);
  EXPECT_EQ(redrive("expired", "", "failed"), 0);
  EXPECT_EQ(redrive("invalid", "t", "invalid"), 1);
  EXPECT_EQ(redrive("", "t", ""), 2);
  EXPECT_EQ(stored("failed").retry_count, 0);
  EXPECT_EQ(stored("failed").status, outbox_status::pending);
  const auto counts = commit([&] { return outbox_reader{*db}.status_counts(); });
  EXPECT_EQ(counts.at(outbox_status::pending), 4);
  EXPECT_EQ(counts.at(outbox_status::published), 1);
  EXPECT_EQ(counts.at(outbox_status::failed), 0);
}

TEST_P(OutboxTable, KeepsTheCheckOfTheFiveStatuses) {
  insert({"a"});
  db->begin();
  EXPECT_EQ(kind_of_failure([&] { db->session() << "UPDATE outbox_events SET status = 'processing'"; }),
            failure_kind::constraint_violation);
  db->roll_back();
}

TEST_P(OutboxTable, TakesRowsWrittenByHandAsOfNow) {
  const auto sql = database::connect(url);
  if (is(database_url::backend::mysql)) *sql << "SET time_zone = '-09:00'";
  if (is(database_url::backend::postgresql)) *sql << "SET TIME ZONE 'Asia/Tokyo'";
  *sql << "INSERT INTO outbox_events (event_id, event_type, event_source, event_data) VALUES ('h', 't', 's', '{}')";
  const auto clock = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  const auto claimed = commit([&] { return all->outbox.claim("one", 9, clock + 2s); });
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].unreadable, "");
  EXPECT_LT(std::chrono::abs(claimed[0].created_at - clock), 1min);
}

TEST_P(OutboxTable, ClaimsWhatCommitsLateAllTheSame) {
  if (is(database_url::backend::sqlite3)) return; // commits in the order of insertion
  const auto late = open();
  outbox_table of_late{*late};
  late->begin();
  of_late.insert(event("late"));
  insert({"a", "b"});
  ASSERT_EQ(ids(claim("one")), "a b");
  for (const auto* id : {"a", "b"}) EXPECT_TRUE(mark("one", {id, outbox_status::published, false, "", {}}));
  EXPECT_EQ(ids(claim("one")), "");
  late->commit();
  const auto claimed = claim("one");
  ASSERT_EQ(ids(claimed), "late");
  EXPECT_LT(claimed[0].sequence, 2); // its sequence is lower than that of those before
}

TEST_P(OutboxTableOfServers, IsClaimedByTwoAtOnceWithoutWaiting) {
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) names.push_back("e" + std::to_string(i));
  insert(names);
  db->begin();
  other->begin();
  const auto first = all->outbox.claim("one", 10, now);
  const auto second = others.outbox.claim("two", 10, now);
  const auto third = all->outbox.claim("one", 10, now);
  const auto fourth = others.outbox.claim("two", 10, now);
  db->commit();
  other->commit();
  std::set<std::string> different;
  for (const auto* claimed : {&first, &second, &third, &fourth}) {
    EXPECT_EQ(claimed->size(), 10U);
    for (const auto& one : *claimed) different.insert(one.id);
  }
  EXPECT_EQ(different.size(), 40U);
  EXPECT_EQ(number(*db, "SELECT count(*) FROM outbox_events WHERE locked_by = 'two'"), 20);
}

TEST_P(OutboxTableOfServers, IsClaimedWithoutWaitingForARowThatAnotherTransactionHolds) {
  insert({"a", "b"});
  other->begin();
  other->session() << "UPDATE outbox_events SET last_error = 'an operator looks at it' WHERE event_id = 'a'";
  EXPECT_EQ(ids(claim("one")), "b");
  other->roll_back();
  EXPECT_EQ(ids(claim("one")), "a");
}

TEST_P(OutboxTableOfServers, IsFilledWithoutWaitingForAClaim) {
  insert({"a", "b"});
  other->begin();
  ASSERT_EQ(others.outbox.claim("two", 9, now).size(), 2U);
  insert({"c", "d"});
  EXPECT_EQ(ids(claim("one")), "c d");
  other->commit();
}

TEST_P(OutboxTableOfServers, IsMarkedWithoutWaitingForAClaimOfOtherEvents) {
  insert({"a", "b", "c"});
  ASSERT_EQ(ids(claim("one", 1)), "a");
  other->begin();
  ASSERT_EQ(ids(others.outbox.claim("two", 1, now)), "b");
  EXPECT_TRUE(mark("one", {"a", outbox_status::published, false, "", {}}));
  EXPECT_EQ(ids(claim("one")), "c");
  commit([&] { all->outbox.release("one"); });
  other->commit();
}

ROMANCY_ON_EVERY_DATABASE(OutboxTable);
ROMANCY_ON_EVERY_SERVER(OutboxTableOfServers);

} // namespace
} // namespace romancy::testing
