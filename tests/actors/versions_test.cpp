#include "tests/actors/waiting_steps.hpp"

namespace romancy::testing {
namespace {

constexpr auto old_code = workflow("w", [](workflow_context<note>& ctx) -> task<std::string> {
  co_await ctx.call<note>("one");
  co_await ctx.sleep_for(1min);
  co_await ctx.call<note>("end");
  co_return "old";
});
constexpr auto new_code = workflow("w", [](workflow_context<note>& ctx) -> task<std::string> {
  co_await ctx.call<note>("one");
  const int version = co_await ctx.version("with-two", 0, 1);
  if (version >= 1) co_await ctx.call<note>("two");
  co_await ctx.sleep_for(1min);
  const int again = co_await ctx.version("with-two", 0, 1);
  co_await ctx.call<note>("end");
  co_return std::to_string(version) + std::to_string(again);
});
constexpr auto newest_code = workflow("w", [](workflow_context<note>& ctx) -> task<std::string> {
  co_await ctx.call<note>("one");
  co_await ctx.version("with-two", 1, 1);
  co_await ctx.call<note>("two");
  co_await ctx.sleep_for(1min);
  co_await ctx.call<note>("end");
  co_return "newest";
});

class Versions : public workflow_fixture<> {
protected:
  /// An instance that waits, and a process that ends.
  template <const auto& Code> void begin(const std::string& id) {
    world<Code> app{file, book};
    app.start(std::string{Code.name()}, nlohmann::json::array(), id);
    app.advance(1s);
    app.drain();
    app.settle();
  }
};

TEST_P(Versions, RunsTheVersionThatAnInstanceHasBegunWith) {
  begin<old_code>("old");
  begin<new_code>("new");
  world<new_code> app{file, book};
  ASSERT_TRUE(app.ends("old"));
  ASSERT_TRUE(app.ends("new"));
  EXPECT_EQ(app.instance("old").output, R"("00")");
  EXPECT_EQ(app.instance("new").output, R"("11")");
  EXPECT_EQ(app.rows(), (names{"one", "one", "two", "end", "end"}));
  EXPECT_EQ(app.history("new"), (names{"note:1 ActivityCompleted", "@version.with-two:1 VersionChosen",
                                       "note:2 ActivityCompleted", "@sleep:1 TimerFired", "note:3 ActivityCompleted"}));
}

TEST_P(Versions, ParksAnInstanceOfAVersionThatIsGone) {
  begin<old_code>("A");
  world<newest_code> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::parked);
  EXPECT_EQ(app.instance("A").error, "the instance runs version 0 of 'with-two', the code has 1 to 1");
}

constexpr auto jotted = activity("jotted", [](activity_context& ctx, const std::string& text) -> void {
                          write_row(ctx, text);
                        }).formerly("note");
constexpr auto renamed = workflow("renamed", [](workflow_context<jotted>& ctx) -> task<std::string> {
                           co_await ctx.call<jotted>("one");
                           co_await ctx.sleep_for(1min);
                           co_await ctx.call<jotted>("end");
                           co_return "renamed";
                         }).formerly("w");

TEST_P(Versions, GoesOnUnderTheNewNamesOfItsDefinitions) {
  begin<old_code>("A");
  world<renamed> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, R"("renamed")");
  EXPECT_EQ(app.rows(), (names{"one", "end"}));
  EXPECT_EQ(app.history("A"), (names{"note:1 ActivityCompleted", "@sleep:1 TimerFired", "jotted:2 ActivityCompleted"}));
}

constexpr auto early_recur = workflow("w", [](workflow_context<note>& ctx) -> task<std::string> {
  co_await ctx.call<note>("one");
  co_return co_await ctx.recur();
});

TEST_P(Versions, ParksAnInstanceThatBeginsAnewBeforeItsHistoryEnds) {
  begin<old_code>("A");
  world<early_recur> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::parked);
  EXPECT_EQ(app.instance("A").error, "history goes on after position 1, where the workflow w begins anew");
  EXPECT_EQ(app.instance("A").run, 1);
  EXPECT_EQ(app.history("A"), names{"note:1 ActivityCompleted"});
}

constexpr auto small = workflow("small", [](workflow_context<note>& ctx) -> task<int> {
  co_await ctx.call<note>("small");
  co_await ctx.sleep_for(1min);
  co_return 42;
});
constexpr auto big = workflow("big", [](workflow_context<small>& ctx) -> task<int> {
  const int answer = co_await ctx.call<small>();
  co_return answer;
});
constexpr auto tiny = workflow("tiny", [](workflow_context<note>& ctx) -> task<int> {
                        co_await ctx.call<note>("small");
                        co_await ctx.sleep_for(1min);
                        co_return 42;
                      }).formerly("small");
constexpr auto big_with_tiny = workflow("big", [](workflow_context<tiny>& ctx) -> task<int> {
  const int answer = co_await ctx.call<tiny>();
  co_return answer;
});

TEST_P(Versions, WaitsForTheChildThatItHasWhenThatIsRenamed) {
  begin<big>("A");
  world<big_with_tiny> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").output, "42") << app.instance("A").error;
  EXPECT_EQ(app.history("A"), names{"@child.small:1 ChildCompleted"});
  EXPECT_EQ(app.rows(), names{"small"});
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances"), 2);
}

ROMANCY_ON_EVERY_DATABASE(Versions);

} // namespace
} // namespace romancy::testing
