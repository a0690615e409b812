#include "tests/actors/waiting_steps.hpp"

namespace romancy::testing {
namespace {

constexpr auto listener_flow = workflow("listener", [](workflow_context<note>& ctx, int count) -> task<std::string> {
  co_await ctx.subscribe("news");
  co_await ctx.join_group("listeners");
  std::string all;
  for (int i = 0; i < count; ++i) {
    const auto heard = co_await ctx.receive("news");
    all += heard.data.get<std::string>() + ' ';
  }
  co_return all;
});
constexpr auto worker_flow = workflow("worker", [](workflow_context<note>& ctx) -> task<std::string> {
  co_await ctx.subscribe("jobs", channel_mode::competing);
  const auto job = co_await ctx.receive<std::string>("jobs", 10min);
  co_return job ? *job : "nothing";
});
constexpr auto speaker =
    workflow("speaker", [](workflow_context<note>& ctx, const std::string& channel) -> task<std::vector<std::string>> {
      co_await ctx.publish(channel, "one");
      co_await ctx.publish(channel, "two");
      const auto members = co_await ctx.group_members("listeners");
      for (const auto& member : members) co_await ctx.send_to(member, channel, "only you");
      co_return members;
    });

class Channels : public workflow_fixture<> {};

TEST_P(Channels, HearsEverythingOfAChannelItSubscribesTo) {
  world<listener_flow, speaker> app{file, book};
  for (const auto* id : {"A", "B"}) app.start("listener", {3}, id);
  app.advance(10ms);
  app.start("speaker", {"news"}, "S");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.instance("A").output, R"("one two only you ")");
  EXPECT_EQ(app.instance("B").output, R"("one two only you ")");
  EXPECT_EQ(app.instance("S").output, R"(["A","B"])");
  for (const auto* table : {"channel_messages", "channel_subscriptions", "workflow_groups"})
    EXPECT_EQ(app.count(std::string{"SELECT count(*) FROM "} + table), 0) << table;
}

TEST_P(Channels, GivesEachMessageToOneOfThoseThatCompete) {
  world<worker_flow, speaker> app{file, book};
  for (const auto* id : {"A", "B", "C"}) app.start("worker", nlohmann::json::array(), id);
  app.advance(10ms);
  app.start("speaker", {"jobs"}, "S");
  app.advance(10ms);
  names got;
  for (const auto* id : {"A", "B", "C"}) got.push_back(app.instance(id).output);
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, (names{"", R"("one")", R"("two")"}));
  for (const auto* id : {"A", "B", "C"}) ASSERT_TRUE(app.ends(id));
  EXPECT_EQ(app.now(), 10min);
}

TEST_P(Channels, RefusesASecondModeOnAChannel) {
  world<worker_flow, listener_flow> app{file, book};
  app.start("listener", {1}, "L");
  app.advance(10ms);
  app.db().session() << "UPDATE channel_subscriptions SET channel = 'jobs'";
  app.db().session() << "UPDATE channels SET channel = 'jobs'";
  app.start("worker", nlohmann::json::array(), "W");
  ASSERT_TRUE(app.ends("W"));
  EXPECT_NE(app.instance("W").error.find("the channel 'jobs' is broadcast for 1 other instance"), std::string::npos)
      << app.instance("W").error;
}

constexpr auto announce = activity("announce", [](activity_context& ctx, const std::string& id, notebook& book) -> void {
                            if (!ctx.first_time("somewhere", id)) return;
                            write_row(ctx, "announce " + id);
                            ctx.publish("news", "all " + id);
                            ctx.send_to("A", "news", "only you " + id);
                            try {
                              ctx.transaction([&] {
                                ctx.publish("news", "never");
                                static_cast<void>(ctx.first_time("somewhere", "undone"));
                                throw std::runtime_error{"undo"};
                              });
                            } catch (const std::runtime_error&) {
                            }
                            book.perhaps_fail("not yet");
                          }).retry(fixed(1s));
constexpr auto announcer =
    workflow("announcer", [](workflow_context<announce>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<announce>(id);
      co_await ctx.call<announce>(id);
      co_return "said";
    });

TEST_P(Channels, HearsWhatAnActivitySaysOnceItCommits) {
  book.failures_left = 1;
  world<listener_flow, announcer> app{file, book};
  app.start("listener", {2}, "A");
  app.start("listener", {1}, "B");
  app.advance(10ms);
  app.start("announcer", {"1"}, "S");
  app.advance(500ms);
  EXPECT_EQ(app.status("B"), instance_status::running); // the first attempt has failed
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  EXPECT_EQ(app.instance("A").output, R"("all 1 only you 1 ")");
  EXPECT_EQ(app.instance("B").output, R"("all 1 ")");
  ASSERT_TRUE(app.ends("S"));
  EXPECT_EQ(app.rows(), names{"announce 1"});
  EXPECT_EQ(app.count("SELECT count(*) FROM inbox_events"), 1);
}

constexpr auto once = workflow("once", [](workflow_context<note>& ctx) -> task<std::string> {
  const auto job = co_await ctx.wait_event<std::string>("jobs", 10min);
  co_return job ? *job : "nothing";
});
constexpr auto job_listener = workflow("job_listener", [](workflow_context<note>& ctx) -> task<std::string> {
  co_await ctx.subscribe("jobs");
  const auto one = co_await ctx.receive<std::string>("jobs");
  const auto two = co_await ctx.receive<std::string>("jobs");
  co_return one + ' ' + two;
});

TEST_P(Channels, IsBroadcastOnceNobodyCompetesAnyMore) {
  world<worker_flow, job_listener, speaker> app{file, book};
  app.start("worker", nlohmann::json::array(), "W");
  app.advance(10ms);
  app.start("job_listener", nlohmann::json::array(), "L");
  app.advance(10ms);
  EXPECT_EQ(app.instance("L").error,
            "@subscribe:1 failed after 1 attempt: the channel 'jobs' is competing for 1 other "
            "instance, so nobody subscribes to it as broadcast: use another channel, or the same "
            "mode");
  ASSERT_TRUE(app.ends("W")); // nothing has come
  for (const auto* id : {"A", "B"}) app.start("job_listener", nlohmann::json::array(), id);
  app.advance(10ms);
  app.start("speaker", {"jobs"}, "S");
  app.advance(100ms);
  for (const auto* id : {"A", "B"}) EXPECT_EQ(app.instance(id).output, R"("one two")") << id;
  EXPECT_EQ(app.count("SELECT count(*) FROM channel_messages"), 0);
}

/// What is said there stays for the next who competes, and who just waits for it hears it all the same.
TEST_P(Channels, GivesWhatIsSaidOnACompetingChannelToThoseWhoWaitForItOnce) {
  world<worker_flow, once, speaker> app{file, book};
  app.start("worker", nlohmann::json::array(), "W");
  ASSERT_TRUE(app.ends("W"));
  for (const auto* id : {"A", "B"}) app.start("once", nlohmann::json::array(), id);
  app.advance(10ms);
  app.start("speaker", {"jobs"}, "S");
  app.advance(100ms);
  for (const auto* id : {"A", "B"}) EXPECT_EQ(app.instance(id).output, R"("one")") << id;
  for (const auto* id : {"X", "Y"}) app.start("worker", nlohmann::json::array(), id);
  app.advance(100ms);
  names got{app.instance("X").output, app.instance("Y").output};
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, (names{R"("one")", R"("two")"}));
}

constexpr auto snapshot = activity("snapshot", [](activity_context& ctx, bool to_all) -> void {
                            int rows = 0;
                            ctx.session() << "SELECT count(*) FROM rows_written", soci::into(rows);
                            if (to_all) ctx.publish("news", "x");
                            ctx.send_to("A", "news", "only you");
                          }).isolation(isolation_level::repeatable_read);
constexpr auto snapshooter = workflow("snapshooter", [](workflow_context<snapshot>& ctx, bool to_all) -> task<void> {
  co_await ctx.call<snapshot>(to_all);
});

TEST_P(Channels, PublishesNothingFromASnapshotWhichWouldPassOverNewcomers) {
  world<listener_flow, snapshooter> app{file, book};
  app.start("listener", {1}, "A");
  app.start("snapshooter", {true}, "S");
  app.advance(1s);
  EXPECT_EQ(
      app.instance("S").error,
      "snapshot:1 failed after 1 attempt: snapshot:1 publishes on 'news', but its isolation shows it who listens as "
      "of its first statement, and not who came since: publish in the workflow, or in an activity of "
      "isolation_level::read_committed");
  EXPECT_EQ(app.status("A"), instance_status::running);
  app.start("snapshooter", {false}, "T");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, R"("only you ")");
}

ROMANCY_ON_EVERY_DATABASE(Channels);

} // namespace
} // namespace romancy::testing
