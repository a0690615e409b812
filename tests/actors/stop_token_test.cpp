#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace {

void undo_work(activity_context& ctx, notebook& book) {
  book.note("undo");
  show_stop(book, ctx);
  book.perhaps_run(book.meanwhile);
  write_row(ctx, "undo");
  book.perhaps_run(book.afterwards);
}
/// Does what the test says, and may be asked to stop meanwhile.
constexpr auto work = romancy::activity("work", [](activity_context& ctx, notebook& book) -> void {
                        book.note("work " + std::to_string(ctx.attempt()));
                        show_stop(book, ctx);
                        book.perhaps_run(book.meanwhile);
                        write_row(ctx, "work");
                        book.perhaps_run(book.afterwards);
                      }).compensate(undo_work);
constexpr auto outside = romancy::activity("outside", [](external_context& ctx, notebook& book) -> void {
  book.note("outside " + std::to_string(ctx.attempt()));
  show_stop(book, ctx);
  book.perhaps_run(book.meanwhile);
  book.perhaps_run(book.afterwards);
});
constexpr auto working =
    workflow("working", [](workflow_context<work>& ctx, int) -> task<> { co_await ctx.call<work>(); });
constexpr auto working_outside =
    workflow("working_outside", [](workflow_context<outside>& ctx, int) -> task<> { co_await ctx.call<outside>(); });
constexpr auto working_inline = workflow("working_inline", [](workflow_context<outside>& ctx, int) -> task<> {
  co_await ctx.call<outside>();
  co_await ctx.transaction([&](activity_context& tx) {
    write_row(tx, "inline");
    tx.check_stop();
    if (tx.stop_token().stop_requested()) write_row(tx, "impossible");
  });
});
constexpr auto failing = workflow("failing", [](workflow_context<work>& ctx, int) -> task<> {
  co_await ctx.call<work>();
  throw std::runtime_error{"in vain"};
});

class StopToken : public workflow_fixture<> {
protected:
  std::stop_token token;
  std::string said;

  /// What happens while the next attempt runs; then it is asked to stop, and does.
  void while_it_runs(const std::function<void()>& event) {
    book.meanwhile = [this, event] {
      book.meanwhile = nullptr;
      token = book.stop_token();
      EXPECT_FALSE(token.stop_requested());
      EXPECT_NO_THROW(book.check_stop());
      event();
      EXPECT_TRUE(token.stop_requested());
    };
    book.afterwards = [this] {
      book.afterwards = nullptr;
      try {
        book.check_stop();
      } catch (const attempt_stopped& e) {
        said = e.what();
        throw;
      }
    };
  }
};

TEST_P(StopToken, IsRequestedWhenTheInstanceIsCancelledAndTheAttemptThatStopsIsUndone) {
  const auto hooks = std::make_shared<recording_hooks>();
  world<working> app{file, book, {.hooks = hooks}};
  while_it_runs([&] {
    app.cancel("A", "enough");
    app.settle();
  });
  app.start("working", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(said, "work:1 of A was stopped: the instance is cancelled");
  EXPECT_EQ(app.now(), 0ms);
  EXPECT_TRUE(app.history("A").empty()); // it did not count, and there is nothing to undo
  EXPECT_TRUE(app.rows().empty());
  EXPECT_EQ(book.lines, names{"work 1"});
  for (const auto& line : hooks->lines) EXPECT_FALSE(line.starts_with("retry") || line.starts_with("failed")) << line;
}

TEST_P(StopToken, ReachesCallsToTheOutsideWorld) {
  world<working_outside> app{file, book};
  while_it_runs([&] {
    app.cancel("A", "enough");
    app.settle();
  });
  app.start("working_outside", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_TRUE(app.history("A").empty());
}

TEST_P(StopToken, OfACancelledInstanceMayBeIgnoredThenTheStepIsUndone) {
  world<working> app{file, book};
  book.meanwhile = [&] {
    book.meanwhile = nullptr;
    app.cancel("A", "enough");
    app.settle();
    EXPECT_TRUE(book.stop_token().stop_requested());
  };
  app.start("working", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.history("A"), (names{"work:1 ActivityCompleted", "@compensate:work:1 CompensationExecuted"}));
  EXPECT_EQ(app.rows(), (names{"work", "undo"}));
}

TEST_P(StopToken, IsRequestedAtOnceWhenTheAppStopsAndTheAttemptRunsAgainUncounted) {
  {
    world<working> app{file, book};
    while_it_runs([&] {
      app.drain();
      app.settle();
    });
    app.start("working", {1}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.has_ended(); }));
    EXPECT_EQ(said, "work:1 of A was stopped: it runs again later, or elsewhere");
    EXPECT_EQ(app.now(), 0ms);
    EXPECT_TRUE(app.history("A").empty());
    EXPECT_TRUE(app.rows().empty());
  }
  world<working> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::completed);
  EXPECT_EQ(book.lines, (names{"work 1", "work 1"}));
}

TEST_P(StopToken, MayBeIgnoredByAnAttemptThatCommitsWhileTheAppStops) {
  world<working> app{file, book};
  book.meanwhile = [&] {
    app.drain();
    app.settle();
    EXPECT_TRUE(book.stop_token().stop_requested());
  };
  app.start("working", {1}, "A");
  ASSERT_TRUE(app.run_until([&] { return app.has_ended(); }));
  EXPECT_EQ(app.history("A"), names{"work:1 ActivityCompleted"});
  EXPECT_EQ(app.rows(), names{"work"});
}

TEST_P(StopToken, ReachesACompensationWhenTheAppStops) {
  {
    world<failing> app{file, book};
    book.afterwards = [&] {
      while_it_runs([&] {
        app.drain();
        app.settle();
      });
    };
    app.start("failing", {1}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.has_ended(); }));
    EXPECT_EQ(said, "@compensate:work:1 of A was stopped: it runs again later, or elsewhere");
    EXPECT_EQ(app.rows(), names{"work"});
  }
  world<failing> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.rows(), (names{"work", "undo"}));
  EXPECT_EQ(book.lines, (names{"work 1", "undo", "undo"}));
}

TEST_P(StopToken, LetsNoCompensationStopForARequestToCancel) {
  world<failing> app{file, book};
  book.meanwhile = [&] {
    book.meanwhile = [&] {
      app.cancel("A", "enough");
      app.settle();
      EXPECT_FALSE(book.stop_token().stop_requested());
    };
  };
  app.start("failing", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.rows(), (names{"work", "undo"}));
}

TEST_P(StopToken, IsRequestedWhenTheWorkerLosesWhatItOwns) {
  world<working_outside> app{file, book};
  while_it_runs([&] {
    app.kill("transaction_coordinator");
    app.settle();
  });
  app.start("working_outside", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::completed);
  EXPECT_EQ(said, "outside:1 of A was stopped: it runs again later, or elsewhere");
  EXPECT_EQ(book.lines, (names{"outside 1", "outside 1"}));
  EXPECT_EQ(app.history("A"), names{"outside:1 ActivityCompleted"});
}

TEST_P(StopToken, IsRequestedWhenTheInstanceGoesOnElsewhere) {
  world<working_outside> app{file, book};
  while_it_runs([&] {
    app.kill("dispatcher"); // the next one begins it anew, under a fence of its own
    app.settle();
  });
  app.start("working_outside", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::completed);
  EXPECT_EQ(book.lines, (names{"outside 1", "outside 1"}));
  EXPECT_EQ(app.history("A"), names{"outside:1 ActivityCompleted"});
}

TEST_P(StopToken, OfALostInstanceMakesWhateverIsThrownAfterItUncounted) {
  world<working_outside> app{file, book, {.default_retry = no_retry()}};
  book.meanwhile = [&] {
    book.meanwhile = nullptr;
    app.kill("executor_pool");
    while (!book.stop_token().stop_requested() && app.step()) {
    }
    throw std::runtime_error{"the client was told to stop"}; // its instance hears of that before its own end
  };
  app.start("working_outside", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::completed) << app.instance("A").error;
  EXPECT_EQ(book.lines, (names{"outside 1", "outside 1"}));
}

TEST_P(StopToken, OutlivesItsAttempt) {
  world<working_outside> app{file, book};
  book.meanwhile = [&] { token = book.stop_token(); };
  app.start("working_outside", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_FALSE(token.stop_requested());
}

TEST_P(StopToken, IsThereInTransactionsOfWorkflowsToo) {
  world<working_inline> app{file, book};
  app.start("working_inline", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.rows(), names{"inline"});
}

TEST_P(StopToken, ThatIsThrownWithoutARequestCountsAsAFailure) {
  world<working_outside> app{file, book, {.default_retry = no_retry()}};
  book.meanwhile = [] { throw attempt_stopped{"of my own accord"}; };
  app.start("working_outside", {1}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.instance("A").error, "outside:1 failed after 1 attempt: of my own accord");
}

ROMANCY_ON_EVERY_DATABASE(StopToken);

} // namespace
} // namespace romancy::testing
