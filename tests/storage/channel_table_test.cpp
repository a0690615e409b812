// Messages, with who sends and who receives on connections of their own.
#include "storage/channel_table.hpp"

#include <future>
#include <optional>

#include "storage/wake_time.hpp"
#include "tests/storage/storage_fixture.hpp"

namespace romancy::testing {
namespace {

class ChannelTable : public with_tables {
protected:
  std::unique_ptr<database> other = open({.busy_timeout = 1min});
  std::unique_ptr<tables> others = std::make_unique<tables>(*other);

  void start(const std::string& id) { start(*all, id); }
  void start(tables& on, const std::string& id) { ASSERT_TRUE(on.instances.insert(instance(id), "", now)); }
  static std::optional<std::string> take(tables& on, const std::string& id, const std::vector<std::string>& channels) {
    return on.channels.take(id, channels);
  }
  /// On the other connection, in a thread and a transaction of its own.
  template <class Action> auto meanwhile(Action action) {
    return std::async(std::launch::async, [this, action] { return commit_on(*other, action); });
  }
  std::string wake_at(const std::string& id) {
    return texts(*db, std::string{"SELECT "} + (is(database_url::backend::postgresql) ? "wake_at::text" : "wake_at") +
                          " FROM workflow_instances WHERE instance_id = '" + id + '\'')
        .at(0);
  }
};
class ChannelLocks : public ChannelTable {};

TEST_P(ChannelTable, KeepsWhatIsSentToAnInstanceThatIsNotThereYet) {
  commit([&] {
    for (const auto* text : {"1", "2"}) all->channels.send("R", "c", text, now);
  });
  EXPECT_FALSE(all->instances.find("R"));
  commit([&] { start("R"); });
  for (const auto* text : {"1", "2"}) EXPECT_EQ(commit([&] { return take(*all, "R", {"c"}); }), text);
  EXPECT_FALSE(commit([&] { return take(*all, "R", {"c"}); }));
}

TEST_P(ChannelLocks, LetsAStartWaitForWhoIsSendingToIt) {
  db->begin();
  all->channels.send("R", "c", "1", now);
  auto found = meanwhile([&] {
    start(*others, "R");
    return take(*others, "R", {"c"});
  });
  wait_until_somebody_waits();
  db->commit();
  EXPECT_EQ(found.get(), "1");
}

TEST_P(ChannelLocks, WakesAnInstanceWhoseStartCommitsWhileItIsSentTo) {
  db->begin();
  start("R");
  all->instances.rest("R", {});
  auto sent = meanwhile([&] { others->channels.send("R", "c", "1", now); });
  wait_until_somebody_waits();
  db->commit();
  sent.get();
  EXPECT_EQ(wake_at("R").substr(0, wake_time::at_once.find('.')),
            wake_time::at_once.substr(0, wake_time::at_once.find('.')));
  EXPECT_EQ(commit([&] { return take(*all, "R", {"c"}); }), "1");
}

/// PostgreSQL refuses, for the whole attempt to be run again; MariaDB's locks look at what is there now.
TEST_P(ChannelLocks, SendsFromAnOldSnapshotToNobodyItDoesNotSee) {
  other->begin(isolation_level::repeatable_read);
  EXPECT_EQ(number(*other, "SELECT count(*) FROM workflow_instances"), 0);
  commit([&] {
    start("R");
    all->instances.rest("R", {});
  });
  const auto send = [&] { others->channels.send("R", "c", "1", now); };
  if (is(database_url::backend::postgresql)) {
    EXPECT_EQ(kind_of_failure(send), failure_kind::conflict);
    return other->roll_back();
  }
  send();
  other->commit();
  EXPECT_NE(wake_at("R").find("1970"), std::string::npos);
}

TEST_P(ChannelLocks, TakesFromTwoChannelsWithoutHoldingUpOthersThatDo) {
  for (const auto* id : {"A", "B"})
    commit([&] {
      start(id);
      for (const auto* channel : {"x", "y"})
        all->channels.carry_out(id, {channel_action::kind::subscribe_competing, channel, "", ""}, now);
    });
  commit([&] {
    for (int i = 0; i < 20; ++i)
      for (const auto* channel : {"y", "x"}) all->channels.publish(channel, channel + std::to_string(i), now);
  });
  for (int i = 0; i < 20; ++i) {
    db->begin();
    other->begin();
    const auto n = std::to_string(i);
    EXPECT_EQ(take(*all, "A", {"x", "y"}), "y" + n);
    EXPECT_EQ(take(*others, "B", {"y", "x"}), "x" + n); // waits for nobody, and passes over nothing
    all->channels.publish("y", "more", now);
    db->commit();
    other->commit();
  }
}

TEST_P(ChannelLocks, EndsASubscriptionWithoutWaitingForInstancesThatHaveNoPartInIt) {
  for (const auto* id : {"A", "B", "Z"}) commit([&] { start(id); });
  for (const auto* id : {"A", "B"})
    commit([&] { all->channels.carry_out(id, {channel_action::kind::subscribe_competing, "x", "", ""}, now); });
  commit([&] {
    all->waits.put("B", {"@receive:1", 1, wait_kind::event, {"x"}, {}, ""});
    all->channels.publish("x", "1", now);
    for (const auto* id : {"A", "B", "Z"}) all->instances.rest(id, {});
  });
  other->begin();
  others->instances.wake("Z"); // and keeps its row
  const auto hasty = open({.busy_timeout = 1s});
  tables hastily{*hasty};
  commit_on(*hasty, [&] { hastily.channels.remove_all("A"); });
  EXPECT_NE(wake_at("B").find("1970"), std::string::npos);
  other->roll_back();
  EXPECT_NE(wake_at("Z").find("9999"), std::string::npos);
}

ROMANCY_ON_EVERY_DATABASE(ChannelTable);
ROMANCY_ON_EVERY_SERVER(ChannelLocks);

} // namespace
} // namespace romancy::testing
