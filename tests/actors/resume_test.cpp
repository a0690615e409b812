#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace changed {
static void undo_number(activity_context&, int) {}
constexpr auto retyped_second = activity("second", [](activity_context&, int) -> void {}).compensate(undo_number);
constexpr auto retyped_saga =
    workflow("saga", [](workflow_context<first, retyped_second>& ctx, int) -> task<std::string> {
      co_await ctx.call<retyped_second>(1);
      co_return "";
    });
} // namespace changed
namespace {

class Resume : public workflow_fixture<> {
protected:
  const names undone{"first A", "second A", "undo second A", "undo first F-A"};
  const std::string reason = "doomed:1 failed after 1 attempt: there is no way";

  static int resume(simulation& app, const std::string& id) {
    app.db().begin();
    const int resumed = instance_table{app.db()}.resume(id, "");
    app.db().commit();
    return resumed;
  }
  /// A saga with both its steps to undo.
  void fail_saga() {
    world<saga> app{file, book};
    app.start("saga", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.status("A") == instance_status::compensating; }));
    ASSERT_EQ(app.history("A").size(), 3U);
  }
};

TEST_P(Resume, CompletesAnInstanceThatCodeAndHistoryAgreeOnAgain) {
  kill_after<plain>(1);
  {
    world<changed::plain> app{file, book};
    ASSERT_TRUE(app.ends("A"));
    ASSERT_EQ(app.status("A"), instance_status::parked);
    ASSERT_EQ(resume(app, "A"), 1); // too early: it parks again
    app.advance(4s);
    ASSERT_EQ(app.status("A"), instance_status::parked);
  }
  world<plain> app{file, book};
  app.advance(2s);
  ASSERT_EQ(app.status("A"), instance_status::parked); // nobody asked
  ASSERT_EQ(resume(app, "A"), 1);
  app.advance(4s); // an idle app looks that seldom
  EXPECT_EQ(app.status("A"), instance_status::completed);
  EXPECT_EQ(app.instance("A").output, R"("F-A 1 7 A/@send_event:1")");
  EXPECT_EQ(app.instance("A").error, "");
  EXPECT_EQ(app.rows(), (names{"first A", "flaky A", "inline A"}));
  EXPECT_EQ(std::count(book.lines.begin(), book.lines.end(), "first"), 1);
  EXPECT_EQ(resume(app, "A"), 0);
}

TEST_P(Resume, GoesOnUndoingWhereItHadParked) {
  fail_saga();
  {
    world<changed::saga> app{file, book};
    ASSERT_TRUE(app.ends("A"));
    ASSERT_EQ(app.status("A"), instance_status::parked);
  }
  world<saga> app{file, book};
  ASSERT_EQ(resume(app, "A"), 1);
  EXPECT_EQ(app.status("A"), instance_status::compensating);
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_EQ(app.rows(), undone);
  EXPECT_EQ(std::count(book.lines.begin(), book.lines.end(), "doomed"), 1); // the function did not run again
}

TEST_P(Resume, UndoesWhatCanBeReadAgain) {
  fail_saga();
  {
    const auto hooks = std::make_shared<recording_hooks>();
    world<changed::retyped_saga> app{file, book, {.hooks = hooks}};
    ASSERT_TRUE(app.ends("A"));
    app.settle();
    ASSERT_EQ(app.status("A"), instance_status::parked);
    const auto why = app.instance("A").error;
    EXPECT_NE(why.find("cannot read what is to be undone of second:1"), std::string::npos) << why;
    EXPECT_NE(why.find(reason), std::string::npos) << why;
    EXPECT_TRUE(hooks->said("parked A: " + why));
    EXPECT_EQ(std::count_if(hooks->lines.begin(), hooks->lines.end(),
                            [](auto& line) { return line.find("@compensate") != std::string::npos; }),
              1)
        << "it was tried again";
    EXPECT_EQ(app.history("A").size(), 3U);
    EXPECT_EQ(app.rows(), (names{"first A", "second A"}));
  }
  world<saga> app{file, book};
  ASSERT_EQ(resume(app, "A"), 1);
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_EQ(app.rows(), undone);
  EXPECT_EQ(app.event_types(), (names{"first.done", "first.undone"}));
}

TEST_P(Resume, KeepsTheErrorThatAnInstanceIsUndoneFor) {
  fail_saga();
  {
    world<changed::saga> app{file, book};
    ASSERT_TRUE(app.ends("A"));
  }
  world<saga> app{file, book};
  resume(app, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").error, reason);
}

TEST_P(Resume, UndoesACancelledInstanceToItsEnd) {
  {
    world<patient> app{file, book};
    book.failures_left = 1;
    app.start("patient", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 2; }));
    app.settle();
    book.failures_left = 0;
    // As it is after code that could not read it.
    app.db().session() << "UPDATE workflow_compensations SET args = '[1]' WHERE activity_name = 'second'";
    app.cancel("A", "enough");
    ASSERT_TRUE(app.ends("A"));
    ASSERT_EQ(app.status("A"), instance_status::parked);
    app.db().session() << "UPDATE workflow_compensations SET args = '[\"A\"]' WHERE activity_name = 'second'";
    resume(app, "A");
    ASSERT_TRUE(app.ends("A"));
  }
  world<patient> app{file, book};
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.instance("A").error, "enough");
  EXPECT_EQ(app.rows(), undone);
}

ROMANCY_ON_EVERY_DATABASE(Resume);

} // namespace
} // namespace romancy::testing
