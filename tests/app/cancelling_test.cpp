#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "tests/app/running_app.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

/// Keeps what it is told, a line each.
class told final : public lifecycle_hooks {
public:
  void on_workflow_complete(const workflow_info& info) override { add("complete " + info.instance_id); }
  void on_workflow_failed(const workflow_info& info, const std::string& why) override {
    add("failed " + info.instance_id + ": " + why);
  }
  void on_workflow_cancelled(const workflow_info& info, const std::string& why) override {
    add("cancelled " + info.instance_id + ": " + why);
  }
  void on_activity_complete(const activity_info& info) override { add("complete " + info.step); }
  void on_activity_retry(const activity_info& info, const std::string&, std::chrono::milliseconds) override {
    add("retry " + info.step);
  }

  bool wait_for(const std::string& line) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, 30s, [&] { return std::find(lines_.begin(), lines_.end(), line) != lines_.end(); });
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }

private:
  void add(std::string line) {
    const std::lock_guard lock{mutex_};
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

constexpr auto reserve = activity("reserve", [](activity_context& ctx, const std::string& id) -> void {
                           ctx.session() << "INSERT INTO reserved (id) VALUES (:id)", soci::use(id);
                           send_event_transactional(ctx, "reserved", "", {{"id", id}});
                         }).compensate([](activity_context& ctx, const std::string& id) {
  ctx.session() << "DELETE FROM reserved WHERE id = :id", soci::use(id);
  send_event_transactional(ctx, "released", "", {{"id", id}});
});
constexpr auto knock = activity("knock", [](external_context&) -> void {
                         throw std::runtime_error{"nobody opens"};
                       }).retry(fixed(1h).max_attempts(100));
constexpr auto book =
    workflow("book", [](workflow_context<reserve, knock>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<reserve>(id);
      co_await ctx.call<knock>();
      co_return "booked";
    });

/// An activity that runs until it is let go.
struct pause {
  std::atomic<bool> begun{false};
  std::atomic<bool> over{false};
};
constexpr auto slowly_reserve =
    activity("slowly_reserve", [](activity_context& ctx, const std::string& id, pause& given) -> void {
      given.begun = true;
      while (!given.over) std::this_thread::yield();
      ctx.session() << "INSERT INTO reserved (id) VALUES (:id)", soci::use(id);
    }).compensate([](activity_context& ctx, const std::string& id, pause&) {
      ctx.session() << "DELETE FROM reserved WHERE id = :id", soci::use(id);
    });
constexpr auto slowly_book = workflow(
    "slowly_book", [](workflow_context<slowly_reserve, reserve>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<slowly_reserve>(id);
      co_await ctx.call<reserve>(id);
      co_return "booked";
    });

class Cancelling : public RunningApp {
protected:
  std::shared_ptr<told> hooks = std::make_shared<told>();

  Cancelling() { database_file{file}.db().session() << "CREATE TABLE reserved (id TEXT)"; }
  /// What is thrown by the result of an instance that is cancelled.
  template <class Run> static std::string reason(const Run& run) {
    try {
      run.result(60s);
    } catch (const instance_failed& e) {
      EXPECT_EQ(e.status(), instance_status::cancelled);
      return e.reason();
    }
    return "it has a result";
  }
  std::vector<std::string> steps(const std::string& id) {
    return database_file{file}.texts(
        "SELECT activity_id || ' ' || event_type FROM workflow_history WHERE instance_id = '" + id + "' ORDER BY id");
  }
};
using lines = std::vector<std::string>;

TEST_F(Cancelling, StopsWaitingForTheNextAttemptAndUndoesWhatWasDone) {
  app<book> app{{.database = file, .hooks = hooks}};
  const auto run = app.start<book>("A", instance_id{"A"});
  ASSERT_TRUE(hooks->wait_for("retry knock:1")); // the next one follows in an hour
  EXPECT_TRUE(app.cancel("A", "changed my mind"));
  EXPECT_EQ(reason(run), "changed my mind");
  EXPECT_EQ(run.status(), instance_status::cancelled);
  database_file outside{file};
  EXPECT_EQ(outside.number("SELECT count(*) FROM reserved"), 0);
  EXPECT_EQ(outside.texts("SELECT event_type FROM outbox_events ORDER BY sequence"), (lines{"reserved", "released"}));
  EXPECT_EQ(steps("A"), (lines{"reserve:1 ActivityCompleted", "@compensate:reserve:1 CompensationExecuted"}));
  ASSERT_TRUE(hooks->wait_for("cancelled A: changed my mind"));
  EXPECT_EQ(hooks->lines(), (lines{"complete reserve:1", "retry knock:1", "complete @compensate:reserve:1",
                                   "cancelled A: changed my mind"}));
  EXPECT_TRUE(run.cancel("again")); // asking twice is asking once
  EXPECT_EQ(reason(run), "changed my mind");
  EXPECT_EQ(steps("A").size(), 2U);
}

TEST_F(Cancelling, LetsARunningAttemptEndAndUndoesItToo) {
  pause given;
  app<slowly_book> app{{.database = file, .hooks = hooks}, given};
  const auto run = app.start<slowly_book>("A", instance_id{"A"});
  while (!given.begun) std::this_thread::yield();
  EXPECT_TRUE(run.cancel()); // does not wait for the attempt
  EXPECT_EQ(run.status(), instance_status::running);
  given.over = true;
  EXPECT_EQ(reason(run), "no reason was given");
  EXPECT_EQ(steps("A"),
            (lines{"slowly_reserve:1 ActivityCompleted", "@compensate:slowly_reserve:1 CompensationExecuted"}));
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM reserved"), 0);
  EXPECT_TRUE(hooks->wait_for("cancelled A: no reason was given"));
}

TEST_F(Cancelling, ReachesAnInstanceThatAnotherAppRuns) {
  app<book> owner{{.database = file, .hooks = hooks}};
  owner.start<book>("A", instance_id{"A"});
  ASSERT_TRUE(hooks->wait_for("retry knock:1"));
  app<say> other{{.database = file}}; // it does not even serve the workflow
  EXPECT_TRUE(other.cancel("A", "from elsewhere"));
  EXPECT_TRUE(hooks->wait_for("cancelled A: from elsewhere"));
  EXPECT_EQ(reason(owner.start<book>("A", instance_id{"A"})), "from elsewhere");
}

TEST_F(Cancelling, RefusesWhatHasEndedAndWhatIsNotThere) {
  app<say, shout> app{{.database = file, .hooks = hooks}};
  const auto said = app.start<say>("hello", instance_id{"A"});
  EXPECT_EQ(said.result(), "hello");
  EXPECT_FALSE(said.cancel("too late"));
  EXPECT_EQ(said.result(), "hello");
  const auto shouted = app.start<shout>("hello", instance_id{"B"});
  EXPECT_THROW(shouted.result(), instance_failed);
  EXPECT_FALSE(shouted.cancel("too late"));
  EXPECT_EQ(shouted.status(), instance_status::failed);
  EXPECT_NE(refusal<error>([&] { app.cancel("C"); }).find("there is no instance C"), std::string::npos);
  EXPECT_THROW(app.cancel("A", "a\nb"), payload_error);
  EXPECT_THROW(app.cancel("A", std::string(5000, 'x')), payload_error);
  ASSERT_TRUE(hooks->wait_for("failed B: too loud: hello!"));
  for (const auto& line : hooks->lines()) EXPECT_FALSE(line.starts_with("cancelled")) << line;
}

} // namespace
} // namespace romancy::testing
