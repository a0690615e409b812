#include <filesystem>

#include <romancy/replay_check.hpp>

#include "tests/actors/workflow_fixture.hpp"
#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

constexpr auto note =
    activity("note", [](activity_context& ctx, const std::string& text) -> void { write_row(ctx, text); });

constexpr auto slow = activity("slow", [](activity_context&, notebook& book) -> int {
                        book.perhaps_fail("not yet");
                        return 1;
                      }).retry(fixed(100s).max_attempts(3));

constexpr auto small_child = workflow("small_child", [](workflow_context<note>& ctx) -> task<int> {
  co_await ctx.call<note>("child");
  co_await ctx.sleep_for(20s);
  co_return 1;
});

/// What a replay may come past, in each of two runs.
constexpr auto many = workflow("many", [](workflow_context<note, slow, doomed, small_child>& ctx, int run) -> task<int> {
  co_await ctx.subscribe("news");
  const int version = co_await ctx.version("v", 0, 3);
  auto late = ctx.start<slow>();
  auto born = ctx.start<small_child>();
  auto limit = ctx.start_sleep_for(7s);
  const auto first_done = co_await ctx.any(late, limit);
  co_await ctx.call<note>(std::to_string(first_done) + std::to_string(version));
  const auto failed = co_await ctx.try_call<doomed>();
  if (failed) co_return 0;
  co_await ctx.publish("news", "said");
  const auto heard = co_await ctx.receive<std::string>("news");
  const auto nothing = co_await ctx.wait_event("never", 2s);
  if (nothing) co_await ctx.call<note>(heard);
  const auto both = co_await ctx.all(late, born);
  if (run < 2) co_return co_await ctx.recur(run + 1);
  co_return std::get<0>(both);
});

namespace tomorrow { // other code, under today's names
constexpr auto shorter =
    workflow("plain", [](workflow_context<>&, const std::string&) -> task<std::string> { co_return "none"; });
constexpr auto number_first = activity("first", [](activity_context&, const std::string&) -> int { return 1; });
constexpr auto retyped =
    workflow("plain", [](workflow_context<number_first>& ctx, const std::string& id) -> task<std::string> {
      const int number = co_await ctx.call<number_first>(id);
      co_return std::to_string(number);
    });
constexpr auto another_input = workflow("plain", [](workflow_context<first>& ctx, int) -> task<std::string> {
  co_return co_await ctx.call<first>("nobody");
});
constexpr auto restarting =
    workflow("plain", [](workflow_context<first>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<first>(id);
      co_return co_await ctx.recur(id);
    });
/// Swallows whatever its steps throw.
constexpr auto stubborn =
    workflow("plain", [](workflow_context<second>& ctx, const std::string& id) -> task<std::string> {
      try {
        co_await ctx.call<second>(id);
      } catch (const std::exception&) {
      }
      co_return "all the same";
    });
constexpr auto newer =
    workflow("plain", [](workflow_context<first, flaky>& ctx, const std::string& id) -> task<std::string> {
      const auto output = co_await ctx.call<first>(id);
      co_await ctx.version("gone", 1, 2);
      co_await ctx.call<flaky>(id);
      co_return output;
    });
constexpr auto oversleeping = workflow("small_child", [](workflow_context<note>& ctx) -> task<int> {
  co_await ctx.call<note>("child");
  const auto woken = co_await ctx.wait_event("dawn", 20s);
  co_return woken ? 1 : 0;
});
constexpr auto longer =
    workflow("plain", [](workflow_context<first, flaky, second>& ctx, const std::string& id) -> task<std::string> {
      const auto output = co_await ctx.call<first>(id);
      co_await ctx.call<flaky>(id);
      co_await ctx.call<second>(id);
      co_return output;
    });
constexpr auto renamed =
    workflow("renamed", [](workflow_context<first, flaky>& ctx, const std::string& id) -> task<std::string> {
      const auto output = co_await ctx.call<first>(id);
      co_await ctx.call<flaky>(id);
      co_return output;
    }).formerly("plain");
inline void undo_number(activity_context&, int) {}
constexpr auto number_second = activity("second", [](activity_context&, int) -> void {}).compensate(undo_number);
constexpr auto unreadable_undo =
    workflow("saga", [](workflow_context<first, number_second>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<number_second>(1);
      co_return co_await ctx.call<first>(id);
    });
} // namespace tomorrow

class ReplayCheck : public workflow_fixture<> {
protected:
  template <const auto&... Workflows> replay_report check(replay_options options = {}) const {
    options.database = file;
    return check_replay<Workflows...>(options);
  }
  /// Of the only instance; empty: it fits.
  template <const auto&... Workflows> std::string why_not(replay_options options = {}) const {
    const auto report = check<Workflows...>(std::move(options));
    EXPECT_EQ(report.checked, 1);
    EXPECT_EQ(report.mismatches.size(), static_cast<std::size_t>(report.misfits));
    return report.fits() ? "" : report.mismatches.at(0).why;
  }
  /// What is said of A is why it then parks.
  template <const auto& Workflow> void says_why_it_would_park(const std::string& word) {
    const auto said = why_not<Workflow>();
    EXPECT_NE(said.find(word), std::string::npos) << said;
    world<Workflow> app{file, book};
    ASSERT_TRUE(app.ends("A"));
    EXPECT_EQ(app.status("A"), instance_status::parked);
    EXPECT_EQ(app.instance("A").error, said);
    app.crash();
    EXPECT_EQ(why_not<Workflow>(), said); // so it is of one that is parked
  }
  /// Of an instance A that is being undone, and not yet.
  template <const auto& Workflow> void leave_in_the_middle_of_undoing() {
    book.failures_left = 3;
    world<Workflow> app{file, book};
    app.start(std::string{Workflow.name()}, {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.status("A") == instance_status::compensating; }));
    app.crash();
  }
};

TEST_P(ReplayCheck, FitsTheCodeThatWroteHistoryWhereverItIs) {
  world<many> app{file, book};
  book.failures_left = 2;
  app.start("many", {1}, "A");
  int looked = 0;
  app.run_until([&] {
    if (++looked % 9 == 0) {
      const auto report = check<many>();
      EXPECT_TRUE(report.fits()) << report.mismatches.at(0).instance_id << ": " << report.mismatches.at(0).why;
    }
    return app.status("A") == instance_status::completed;
  });
  EXPECT_EQ(app.status("A"), instance_status::completed) << app.instance("A").error;
  EXPECT_EQ(app.instance("A").run, 2);
  EXPECT_GT(looked, 200);
  const auto all = check<many>({.statuses = {}});
  EXPECT_EQ(all.checked, 3); // with a child in each run
  EXPECT_TRUE(all.fits());
}

TEST_P(ReplayCheck, RunsAndWritesNothing) {
  kill_after<plain>(2);
  world<plain> outside{file, book}; // to look at it: nothing of it runs
  const auto rows = outside.rows();
  const auto fence = outside.instance("A").fence;
  const auto lines = book.lines;
  EXPECT_EQ(why_not<plain>(), "");
  EXPECT_NE(why_not<changed::plain>(), "");
  EXPECT_EQ(outside.rows(), rows);
  EXPECT_EQ(outside.history("A").size(), 2U);
  EXPECT_EQ(outside.instance("A").fence, fence);
  EXPECT_EQ(outside.status("A"), instance_status::running);
  EXPECT_EQ(book.lines, lines);
}

TEST_P(ReplayCheck, SaysWhyAnInstanceWouldPark) {
  kill_after<plain>(1);
  says_why_it_would_park<changed::plain>("asks for second:1");
}
TEST_P(ReplayCheck, SaysThatHistoryGoesOnAfterTheEnd) {
  kill_after<plain>(2);
  says_why_it_would_park<tomorrow::shorter>("ended after position 0");
}
TEST_P(ReplayCheck, SaysThatHistoryGoesOnWhereTheWorkflowBeginsAnew) {
  kill_after<plain>(2);
  says_why_it_would_park<tomorrow::restarting>("begins anew");
}
TEST_P(ReplayCheck, SaysThatAnOutputCannotBeRead) {
  kill_after<plain>(1);
  says_why_it_would_park<tomorrow::retyped>("cannot read the output of first:1");
}
TEST_P(ReplayCheck, SaysThatTheInputsCannotBeRead) {
  kill_after<plain>(1);
  says_why_it_would_park<tomorrow::another_input>("cannot read the inputs");
}
TEST_P(ReplayCheck, SaysThatAVersionIsGone) {
  kill_after<plain>(2);
  says_why_it_would_park<tomorrow::newer>("version 0 of 'gone', the code has 1 to 2");
}
TEST_P(ReplayCheck, IsNotFooledByCodeThatSwallowsWhatItsStepsThrow) {
  kill_after<plain>(1);
  says_why_it_would_park<tomorrow::stubborn>("asks for second:1");
}
TEST_P(ReplayCheck, SaysThatItWaitsForSomethingElse) {
  {
    world<small_child> app{file, book};
    app.start("small_child", nlohmann::json::array(), "A");
    ASSERT_TRUE(app.run_until([&] { return app.count("SELECT count(*) FROM workflow_waits") == 1; }));
    app.crash();
  }
  EXPECT_EQ(why_not<small_child>(), "");
  says_why_it_would_park<tomorrow::oversleeping>("the instance waits for @sleep:1");
}
TEST_P(ReplayCheck, SaysThatWhatIsDoneCannotBeUndone) {
  leave_in_the_middle_of_undoing<saga>();
  EXPECT_EQ(why_not<saga>(), "");
  says_why_it_would_park<changed::saga>("no compensation for an activity");
}
TEST_P(ReplayCheck, SaysThatWhatIsToBeUndoneCannotBeRead) {
  leave_in_the_middle_of_undoing<saga>();
  says_why_it_would_park<tomorrow::unreadable_undo>("cannot read what is to be undone of second:1");
}

TEST_P(ReplayCheck, LooksAtWhatACancelledInstanceIsUndoneWith) {
  {
    world<patient> app{file, book};
    book.failures_left = 1'000;
    app.start("patient", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 2; }));
    app.crash();
  }
  const auto db = database::open(database_url::parse(file), {}, 1s);
  EXPECT_EQ(why_not<changed::patient>().find("at position 1 history has first:1"), 0U);
  db->begin();
  ASSERT_TRUE(instance_table{*db}.request_cancel({"A", "enough"}));
  db->commit();
  EXPECT_EQ(why_not<changed::patient>(), ""); // it is undone, and not replayed
}

TEST_P(ReplayCheck, FitsWhatFailsAsItDidAndWhatGoesFurtherThanHistory) {
  {
    world<saga> app{file, book};
    app.start("saga", {"A"}, "A");
    ASSERT_TRUE(app.ends("A"));
    ASSERT_EQ(app.status("A"), instance_status::failed);
  }
  EXPECT_EQ(check<saga>().checked, 0);
  EXPECT_EQ(why_not<saga>({.statuses = {instance_status::failed}}), "");
  EXPECT_EQ(why_not<saga>({.instance_ids = {"A"}}), "");
  EXPECT_NE(why_not<changed::saga>({.instance_ids = {"A"}}), "");
}

TEST_P(ReplayCheck, FitsCodeThatGoesOnAfterHistoryAndCodeWithNewNames) {
  kill_after<plain>(2);
  EXPECT_EQ(why_not<tomorrow::longer>(), "");
  EXPECT_EQ(why_not<tomorrow::renamed>(), "");
  EXPECT_EQ(why_not<tomorrow::renamed>({.workflows = {"renamed"}}), ""); // by its name of today
  EXPECT_EQ(check<tomorrow::renamed>({.workflows = {"other"}}).checked, 0);
}

TEST_P(ReplayCheck, SaysWhichWorkflowsTheProgramDoesNotHave) {
  kill_after<plain>(1);
  EXPECT_EQ(why_not<saga>(),
            "this program has no workflow 'plain': list it, or give the one that it became .formerly(\"plain\")");
  EXPECT_EQ(check<saga>({.workflows = {"saga"}}).checked, 0);
}

TEST_P(ReplayCheck, ReadsPageAfterPageAndTellsOfEachMismatchAtOnce) {
  {
    world<plain> app{file, book};
    app.db().begin();
    instance_table instances{app.db()};
    instance_record row;
    row.workflow = "plain";
    row.input = R"(["x"])";
    for (int i = 0; i < 250; ++i) {
      row.instance_id = "I" + std::to_string(i);
      ASSERT_TRUE(instances.insert(row, "", app.wall()));
    }
    app.db().commit();
    app.crash();
  }
  const auto fitting = check<plain>();
  EXPECT_EQ(fitting.checked, 250);
  EXPECT_TRUE(fitting.fits());
  names told;
  const auto report =
      check<tomorrow::another_input>({.on_mismatch = [&](const auto& found) { told.push_back(found.instance_id); }});
  EXPECT_EQ(report.checked, 250);
  EXPECT_EQ(report.misfits, 250);
  EXPECT_TRUE(report.mismatches.empty());
  std::sort(told.begin(), told.end());
  EXPECT_EQ(std::unique(told.begin(), told.end()) - told.begin(), 250);
}

TEST_P(ReplayCheck, NamesWhatItCannotLookAt) {
  kill_after<plain>(1);
  EXPECT_EQ(refusal<error>([&] { check<plain>({.instance_ids = {"Z"}}); }),
            "there is no instance Z, or it has been removed since it finished");
}

ROMANCY_ON_EVERY_DATABASE(ReplayCheck);

TEST(ReplayCheckOfAFile, MakesNoDatabase) {
  temporary_directory directory;
  const auto file = directory.file("none.db");
  EXPECT_EQ(refusal<startup_error>([&] { check_replay<plain>({.database = file}); }),
            "database '" + file + "' does not exist: check the path");
  EXPECT_FALSE(std::filesystem::exists(file));
}

} // namespace
} // namespace romancy::testing
