#include "storage/storage_failure.hpp"
#include "tests/actors/workflow_fixture.hpp"
#include "tests/support/refused_writes.hpp"
#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

void undo_long(activity_context& ctx, const std::string& id) { write_row(ctx, "undo long " + id); }
/// Does something meanwhile, before it holds the session.
constexpr auto long_step = activity("long", [](activity_context& ctx, const std::string& id, notebook& book) -> void {
                             book.note("long");
                             book.meanwhile();
                             write_row(ctx, "long " + id);
                             book.perhaps_fail("in vain");
                           }).compensate(undo_long);
constexpr auto busy =
    workflow("busy", [](workflow_context<first, long_step, flaky>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<first>(id);
      co_await ctx.call<long_step>(id);
      co_await ctx.call<flaky>(id);
      co_return "done";
    });

void undo_slow(activity_context& ctx, const std::string& id) { write_row(ctx, "undo slow " + id); }
/// Fails once, and then waits for longer than it takes to look for requests.
constexpr auto slow = activity("slow",
                               [](activity_context& ctx, const std::string& id, notebook& book) -> void {
                                 write_row(ctx, "slow " + id);
                                 book.perhaps_fail("not yet");
                               })
                          .compensate(undo_slow)
                          .retry(fixed(1500ms));
constexpr auto sluggish =
    workflow("sluggish", [](workflow_context<first, slow, second>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<first>(id);
      co_await ctx.call<slow>(id);
      co_await ctx.call<second>(id);
      co_return "done";
    });

class Cancel : public workflow_fixture<> {
protected:
  const names undone{"first A", "second A", "undo second A", "undo first F-A"};
  const names undone_history{"first:1 ActivityCompleted", "second:1 ActivityCompleted",
                             "@compensate:second:1 CompensationExecuted", "@compensate:first:1 CompensationExecuted"};

  /// Two steps are done, the third one waits for its next attempt.
  template <class App> void bring_to_wait(App& app) {
    book.failures_left = 1;
    app.start("patient", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 2; }));
    app.settle();
    ASSERT_EQ(book.lines, (names{"first", "flaky 1"}));
  }
  /// As another process does it; it waits for a transaction that is open.
  static bool cancel_in_database(simulation& app, const std::string& id, const std::string& reason) {
    const auto& speaks = app.db().dialect();
    app.db().session() << std::string{speaks.one_writer                        ? "PRAGMA busy_timeout = 0"
                                      : speaks.name == postgresql_dialect.name ? "SET lock_timeout = 1"
                                                                               : "SET innodb_lock_wait_timeout = 0"};
    for (;;) try {
        app.db().begin();
        const bool accepted = instance_table{app.db()}.request_cancel({id, reason});
        app.db().commit();
        return accepted;
      } catch (const storage_failure& e) {
        app.db().roll_back();
        if (!e.retryable() || !app.step()) throw;
      }
  }
  static bool accepted(const std::shared_ptr<cancel_slot>& slot) {
    const auto answer = slot->wait_for(0ms);
    EXPECT_TRUE(answer) << "no answer";
    return answer && answer->accepted;
  }
};

TEST_P(Cancel, UndoesAnInstanceThatWaitsForARetryAtOnce) {
  const auto hooks = std::make_shared<recording_hooks>();
  world<patient> app{file, book, {.hooks = hooks}};
  bring_to_wait(app);
  const auto slot = app.cancel("A", "the customer left");
  app.settle();
  EXPECT_TRUE(accepted(slot));
  EXPECT_EQ(app.now(), 0ms);
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.instance("A").error, "the customer left");
  EXPECT_EQ(app.history("A"), undone_history);
  EXPECT_EQ(app.rows(), undone);
  EXPECT_EQ(app.event_types(), (names{"first.done", "first.undone"}));
  EXPECT_TRUE(hooks->said("cancelled A: the customer left"));
  EXPECT_FALSE(hooks->said("failed A: the customer left"));
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances WHERE owner_epoch IS NULL AND finished_at IS NOT NULL"),
            1);
  app.advance(5s); // the timer of the retry is of no effect
  EXPECT_EQ(book.lines, (names{"first", "flaky 1", "undo second"}));
}

TEST_P(Cancel, LetsTheAttemptThatIsUnderWayCommitAndUndoesItToo) {
  world<busy> app{file, book};
  std::shared_ptr<cancel_slot> slot;
  book.meanwhile = [&] {
    slot = app.cancel("A", "enough");
    app.settle();
    EXPECT_TRUE(accepted(slot));
    EXPECT_EQ(app.status("A"), instance_status::running); // it waits for this attempt
  };
  app.start("busy", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.history("A"),
            (names{"first:1 ActivityCompleted", "long:1 ActivityCompleted", "@compensate:long:1 CompensationExecuted",
                   "@compensate:first:1 CompensationExecuted"}));
  EXPECT_EQ(app.rows(), (names{"first A", "long A", "undo long A", "undo first F-A"}));
  EXPECT_EQ(book.lines, (names{"first", "long"})); // no further step began
}

TEST_P(Cancel, TriesAnAttemptThatFailsMeanwhileNoMore) {
  world<busy> app{file, book};
  book.failures_left = 1;
  book.meanwhile = [&] {
    app.cancel("A", "enough");
    app.settle();
  };
  app.start("busy", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.now(), 0ms);
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.instance("A").error, "enough");
  EXPECT_EQ(app.history("A"), (names{"first:1 ActivityCompleted", "@compensate:first:1 CompensationExecuted"}));
  EXPECT_EQ(app.rows(), (names{"first A", "undo first F-A"}));
}

TEST_P(Cancel, FindsTheRequestOfAnotherProcessWithinASecond) {
  world<patient> app{file, book};
  book.failures_left = 4; // from 700 to 1500 ms it waits
  app.start("patient", {"A"}, "A");
  app.advance(750ms);
  ASSERT_TRUE(cancel_in_database(app, "A", "from elsewhere"));
  app.advance(100ms);
  EXPECT_EQ(app.status("A"), instance_status::running);
  app.advance(150ms);
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.instance("A").error, "from elsewhere");
  EXPECT_EQ(app.rows(), undone);
}

TEST_P(Cancel, FindsTheRequestOfAnotherProcessAlsoWhenItRunsAllItMay) {
  world<patient> app{file, book, {.max_running_instances = 1}};
  book.failures_left = 4;
  app.start("patient", {"A"}, "A");
  app.advance(200ms);
  ASSERT_TRUE(cancel_in_database(app, "A", "from elsewhere"));
  app.advance(800ms);
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
}

TEST_P(Cancel, UndoesAParkedInstance) {
  {
    world<patient> app{file, book};
    bring_to_wait(app);
  }
  const auto hooks = std::make_shared<recording_hooks>();
  world<changed::patient> app{file, book, {.hooks = hooks}};
  ASSERT_TRUE(app.ends("A"));
  ASSERT_EQ(app.status("A"), instance_status::parked);
  const auto slot = app.cancel("A", "not worth it");
  app.settle();
  EXPECT_TRUE(accepted(slot));
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.instance("A").error, "not worth it");
  EXPECT_EQ(app.history("A"), undone_history);
  EXPECT_EQ(app.rows(), undone);
  EXPECT_TRUE(hooks->said("cancelled A: not worth it"));
}

/// Asked for after the k-th message, for every k, until it is parked.
TEST_P(Cancel, UndoesAnInstanceThatIsJustBeingParked) {
  bool parked = false;
  for (int k = 0; !parked; ++k) {
    const auto path = another();
    notebook paper;
    {
      world<patient> app{path, paper};
      app.start("patient", {"A"}, "A");
      ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 2; }));
    }
    world<changed::patient> app{path, paper};
    ASSERT_TRUE(app.run_until([&] { return app.instance("A").fence == 2; }));
    app.run_until([] { return false; }, k);
    parked = app.status("A") == instance_status::parked;
    const auto slot = app.cancel("A", "enough");
    app.advance(2s);
    EXPECT_TRUE(accepted(slot)) << "k = " << k;
    EXPECT_EQ(app.status("A"), instance_status::cancelled) << "k = " << k << ": " << app.instance("A").error;
    if (HasFailure()) break;
  }
}

TEST_P(Cancel, IsRefusedOnceTheInstanceHasEndedAndChangesNothing) {
  world<patient, saga> app{file, book};
  app.start("patient", {"A"}, "A");
  app.start("saga", {"B"}, "B");
  ASSERT_TRUE(app.ends("A"));
  ASSERT_TRUE(app.ends("B"));
  const auto all = [&](const std::string& id) {
    std::string columns;
    for (const auto* column : {"status", "output_data", "error", "owner_epoch", "finished_at", "cancel_reason"})
      columns +=
          app.text(std::string{"SELECT "} + column + " FROM workflow_instances WHERE instance_id = '" + id + '\'') + '|';
    return columns + std::to_string(app.instance(id).fence);
  };
  const auto rows = app.rows();
  for (const auto* id : {"A", "B"}) {
    const auto before = all(id);
    const auto slot = app.cancel(id, "too late");
    app.advance(3s);
    EXPECT_FALSE(accepted(slot)) << id;
    EXPECT_EQ(all(id), before);
  }
  EXPECT_EQ(app.status("A"), instance_status::completed);
  EXPECT_EQ(app.status("B"), instance_status::failed);
  EXPECT_EQ(app.rows(), rows);
}

TEST_P(Cancel, IsRefusedWhileTheInstanceIsUndoneForAFailureOfItsOwn) {
  world<saga> app{file, book};
  app.start("saga", {"A"}, "A");
  ASSERT_TRUE(app.run_until([&] { return app.status("A") == instance_status::compensating; }));
  const auto slot = app.cancel("A", "too late");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_FALSE(accepted(slot));
  EXPECT_EQ(app.status("A"), instance_status::failed);
  EXPECT_EQ(app.instance("A").error, "doomed:1 failed after 1 attempt: there is no way");
}

TEST_P(Cancel, SaysThatThereIsNoSuchInstance) {
  world<patient> app{file, book};
  const auto slot = app.cancel("nobody", "why");
  app.settle();
  EXPECT_EQ(refusal<storage_error>([&] { static_cast<void>(slot->wait_for(0ms)); }), "there is no instance nobody");
}

TEST_P(Cancel, KeepsTheFirstReason) {
  world<patient> app{file, book};
  bring_to_wait(app);
  ASSERT_TRUE(cancel_in_database(app, "A", "first"));
  const auto slot = app.cancel("A", "second");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_TRUE(accepted(slot));
  EXPECT_EQ(app.instance("A").error, "first");
}

TEST_P(Cancel, SaysWhatCouldNotBeUndone) {
  world<patient> app{file, book};
  bring_to_wait(app);
  book.failures_left = 3;
  app.cancel("A", "enough");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.instance("A").error, "enough; not undone: second:1 (cannot undo yet)");
  EXPECT_EQ(app.rows(), (names{"first A", "second A", "undo first F-A"}));
}

TEST_P(Cancel, GoesOnAfterACrashBeforeAnythingWasUndoneWithoutRunningTheFunctionAgain) {
  {
    world<patient> app{file, book};
    bring_to_wait(app);
    ASSERT_TRUE(cancel_in_database(app, "A", "enough"));
    app.crash();
  }
  const auto hooks = std::make_shared<recording_hooks>();
  world<patient> app{file, book, {.hooks = hooks}};
  ASSERT_TRUE(app.ends("A"));
  app.settle();
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.instance("A").error, "enough");
  EXPECT_EQ(app.history("A"), undone_history);
  EXPECT_EQ(app.rows(), undone);
  EXPECT_EQ(book.lines, (names{"first", "flaky 1", "undo second"}));
  EXPECT_FALSE(hooks->said("replay A 2"));
  EXPECT_TRUE(hooks->said("cancelled A: enough"));
}

TEST_P(Cancel, GoesOnAfterACrashBetweenTwoCompensations) {
  {
    world<patient> app{file, book};
    bring_to_wait(app);
    app.cancel("A", "enough");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == 3; }));
    ASSERT_EQ(app.status("A"), instance_status::compensating);
    app.crash();
  }
  const auto hooks = std::make_shared<recording_hooks>();
  world<patient> app{file, book, {.hooks = hooks}};
  ASSERT_TRUE(app.ends("A"));
  app.settle();
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_EQ(app.instance("A").error, "enough");
  EXPECT_EQ(app.history("A"), undone_history);
  EXPECT_EQ(app.rows(), undone);
  EXPECT_TRUE(hooks->said("cancelled A: enough"));
}

/// Asked for after the k-th message, for every k, by turns from inside and from outside; then a crash, or an actor dies.
TEST_P(Cancel, EndsInOneWayOrTheOtherWheneverItIsAskedFor) {
  int cancelled = 0;
  bool ended = false;
  for (int k = 0; !ended; ++k) {
    const auto path = another();
    notebook paper;
    paper.failures_left = 1;
    auto app = std::make_unique<world<sluggish>>(path, paper);
    app->start("sluggish", {"A"}, "A");
    ASSERT_TRUE(app->run_until([&] { return !app->instance("A").instance_id.empty(); }));
    app->run_until([] { return false; }, k);
    ended = is_settled(app->status("A"));
    const auto steps = app->history("A").size();
    std::optional<bool> asked;
    std::shared_ptr<cancel_slot> slot;
    if (k % 2 == 0) {
      slot = app->cancel("A", "enough");
      app->run_until([] { return false; }, k % 7);
    } else {
      asked = cancel_in_database(*app, "A", "enough");
    }
    switch (k % 5) {
      case 0:
        app->crash();
        app.reset();
        app = std::make_unique<world<sluggish>>(path, paper);
        break;
      case 1: app->kill("transaction_coordinator"); break;
      case 2: app->kill("dispatcher"); break;
      default: break;
    }
    ASSERT_TRUE(app->ends("A")) << "k = " << k;
    app->settle();
    if (slot)
      if (const auto answer = slot->wait_for(0ms)) asked = answer->accepted;
    auto rows = app->rows();
    std::sort(rows.begin(), rows.end());
    if (app->status("A") == instance_status::completed) { // it was just completing, or had, or nobody heard of it
      ASSERT_EQ(rows, (names{"first A", "second A", "slow A"})) << "k = " << k;
      ASSERT_TRUE(!slot || !asked.value_or(false) || steps >= 2) << "k = " << k;
      continue;
    }
    ++cancelled;
    ASSERT_TRUE(asked.value_or(true)) << "k = " << k;
    ASSERT_EQ(app->status("A"), instance_status::cancelled) << "k = " << k;
    ASSERT_EQ(app->instance("A").error, "enough") << "k = " << k;
    for (const auto* step : {"first", "slow", "second"}) {
      const auto done = std::count(rows.begin(), rows.end(), std::string{step} + " A");
      const auto taken_back =
          std::count_if(rows.begin(), rows.end(), [&](auto& row) { return row.find(std::string{"undo "} + step) == 0; });
      ASSERT_LE(done, 1) << "k = " << k;
      ASSERT_EQ(done, taken_back) << step << ", k = " << k;
    }
  }
  EXPECT_GT(cancelled, 25);
}

TEST_P(Cancel, WithdrawsAnAttemptThatWaitsForAnExecutor) {
  world<busy, patient> app{file, book, {.executors = 1}};
  book.meanwhile = [&] {
    app.start("patient", {"B"}, "B");
    app.settle();
    EXPECT_EQ(app.status("B"), instance_status::running);
    const auto slot = app.cancel("B", "too slow");
    app.settle();
    EXPECT_TRUE(accepted(slot));
    EXPECT_EQ(app.status("B"), instance_status::cancelled);
  };
  app.start("busy", {"A"}, "A");
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::completed);
  EXPECT_TRUE(app.history("B").empty());
  EXPECT_EQ(std::count(book.lines.begin(), book.lines.end(), "first"), 1); // that of A
}

TEST_P(Cancel, UndoesAnInstanceThatWouldParkAtItsNextBeginning) {
  world<saga> app{file, book};
  refuse_writes(app.db(), "UPDATE", "workflow_instances", "NEW.status = 'compensating'");
  app.start("saga", {"A"}, "A");
  app.advance(250s); // ten times it could not go on; it would park at 303 s
  ASSERT_EQ(app.status("A"), instance_status::running);
  allow_writes(app.db(), "workflow_instances");
  const auto slot = app.cancel("A", "enough");
  app.settle();
  EXPECT_TRUE(accepted(slot));
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::cancelled) << app.instance("A").error;
  EXPECT_EQ(app.rows(), (names{"first A", "second A", "undo second A", "undo first F-A"}));
}

TEST_P(Cancel, IsRefusedWhenTheInstanceWasParkedWhileItsOwnFailureWasUndone) {
  {
    world<saga> app{file, book};
    app.start("saga", {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.status("A") == instance_status::compensating; }));
    app.crash();
  }
  world<changed::saga> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  ASSERT_EQ(app.status("A"), instance_status::parked);
  const auto slot = app.cancel("A", "enough");
  app.settle();
  EXPECT_FALSE(accepted(slot));
  EXPECT_EQ(app.status("A"), instance_status::parked);
  EXPECT_NE(app.instance("A").error.find("there is no way"), std::string::npos);
}

ROMANCY_ON_EVERY_DATABASE(Cancel);

} // namespace
} // namespace romancy::testing
