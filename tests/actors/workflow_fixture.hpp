#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "testing/simulation.hpp"
#include "testing/temporary_directory.hpp"
#include "tests/support/test_database.hpp"

namespace romancy::testing {

using namespace std::chrono_literals;

/// What activities of these tests can reach: written on paper that no rollback cleans.
struct notebook {
  std::function<std::chrono::milliseconds()> now;
  std::vector<std::string> lines;
  std::vector<long long> times;
  int failures_left = 0;
  std::function<void()> meanwhile;
  std::function<void()> afterwards;
  std::function<void()> check_stop; ///< of the attempt that runs
  std::function<std::stop_token()> stop_token;

  void note(const std::string& line) {
    lines.push_back(line);
    if (now) times.push_back(now().count());
  }
  /// What is set may set another one.
  static void perhaps_run(std::function<void()> what) {
    if (what) what();
  }
  void perhaps_fail(const char* why) {
    if (failures_left-- > 0) throw std::runtime_error{why};
  }
};

using names = std::vector<std::string>;

inline void write_row(activity_context& ctx, const std::string& text) {
  ctx.session() << "INSERT INTO rows_written (text) VALUES (:text)", soci::use(text);
}

/// Lets the test look at the stop token of the attempt.
template <class Context> void show_stop(notebook& book, Context& ctx) {
  book.check_stop = [&ctx] { ctx.check_stop(); };
  book.stop_token = [&ctx] { return ctx.stop_token(); };
}

// -- definitions ------------------------------------------------------------------------------------------------------

inline void undo_first(activity_context& ctx, const std::string& id, const std::string& output) {
  write_row(ctx, "undo first " + output);
  send_event_transactional(ctx, "first.undone", "test", {{"order_id", id}});
}
inline constexpr auto first =
    activity("first", [](activity_context& ctx, const std::string& id, notebook& book) -> std::string {
      book.note("first");
      write_row(ctx, "first " + id);
      send_event_transactional(ctx, "first.done", "test", {{"order_id", id}});
      return "F-" + id;
    }).compensate(undo_first);

inline void undo_second(activity_context& ctx, const std::string& id, notebook& book) {
  book.note("undo second");
  write_row(ctx, "undo second " + id);
  book.perhaps_fail("cannot undo yet");
}
inline constexpr auto second =
    activity("second", [](activity_context& ctx, const std::string& id) -> void { write_row(ctx, "second " + id); })
        .compensate(undo_second)
        .retry(fixed(10ms).max_attempts(3));

inline constexpr auto flaky = activity("flaky", [](activity_context& ctx, const std::string& id, notebook& book) -> int {
                                book.note("flaky " + std::to_string(ctx.attempt()));
                                write_row(ctx, "flaky " + id);
                                send_event_transactional(ctx, "flaky.done", "test", {{"order_id", id}});
                                book.perhaps_fail("not yet");
                                return ctx.attempt();
                              }).retry(exponential(100ms).max_attempts(5));

inline constexpr auto doomed = activity("doomed", [](external_context&, notebook& book) -> void {
  book.note("doomed");
  throw terminal_error{"there is no way"};
});

/// Every kind of step.
inline constexpr auto plain =
    workflow("plain", [](workflow_context<first, flaky>& ctx, const std::string& id) -> task<std::string> {
      const auto output = co_await ctx.call<first>(id);
      const int attempts = co_await ctx.call<flaky>(id);
      const auto rows = co_await ctx.transaction([&](activity_context& tx) {
        write_row(tx, "inline " + id);
        send_event_transactional(tx, "inline.done", "test", {{"order_id", id}});
        return 7;
      });
      const nlohmann::json data{{"order_id", id}};
      const auto event = co_await send_event_transactional(ctx, "body.done", "test", data);
      co_return output + ' ' + std::to_string(attempts) + ' ' + std::to_string(rows) + ' ' + event;
    });

/// Two steps to undo, and a reason to.
inline constexpr auto saga =
    workflow("saga", [](workflow_context<first, second, doomed>& ctx, const std::string& id) -> task<std::string> {
      const auto output = co_await ctx.call<first>(id);
      co_await ctx.call<second>(id);
      co_await ctx.call<doomed>();
      co_return output;
    });

/// Two steps to undo, and one that may keep it waiting.
inline constexpr auto patient =
    workflow("patient", [](workflow_context<first, second, flaky>& ctx, const std::string& id) -> task<std::string> {
      const auto output = co_await ctx.call<first>(id);
      co_await ctx.call<second>(id);
      co_await ctx.call<flaky>(id);
      co_return output;
    });

namespace changed { // tomorrow's code, under today's names
/// Not what history of `plain` has.
inline constexpr auto plain =
    workflow("plain", [](workflow_context<second, flaky>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<second>(id);
      co_return "other";
    });
/// Not what history of `patient` has, and able to undo it.
inline constexpr auto patient =
    workflow("patient", [](workflow_context<first, second>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<second>(id);
      co_await ctx.call<first>(id);
      co_return "other";
    });
/// Cannot undo what `saga` has done.
inline constexpr auto without_undo = activity("second", [](activity_context&, const std::string&) -> void {});
inline constexpr auto saga =
    workflow("saga", [](workflow_context<without_undo>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<without_undo>(id);
      co_return "";
    });
} // namespace changed

// -- the fixture ------------------------------------------------------------------------------------------------------

template <const auto&... Workflows> class world : public simulation {
public:
  explicit world(const std::string& file, notebook& book, app_options options = {},
                 std::chrono::milliseconds begins_at = {})
      : simulation{file, std::move(options), definitions<Workflows...>(), given(book), {.at = begins_at}}, book_{book} {
    const auto kind = database_url::parse(file).kind;
    using enum database_url::backend;
    db().session() << std::string{"CREATE TABLE IF NOT EXISTS rows_written (id "} +
                          (kind == sqlite3      ? "INTEGER PRIMARY KEY AUTOINCREMENT"
                           : kind == postgresql ? "BIGINT GENERATED BY DEFAULT AS IDENTITY"
                                                : "BIGINT AUTO_INCREMENT PRIMARY KEY") +
                          ", text TEXT)";
    book.now = [this] { return now(); };
  }
  ~world() { book_.now = nullptr; }

  bool ends(const std::string& id, int steps = 100'000) {
    return run_until([&] { return is_settled(instance(id).status) && !instance(id).instance_id.empty(); }, steps);
  }
  instance_status status(const std::string& id) { return instance(id).status; }
  names rows() {
    names all;
    std::string text;
    soci::statement select = (db().session().prepare << "SELECT text FROM rows_written ORDER BY id", soci::into(text));
    for (bool more = select.execute(true); more; more = select.fetch()) all.push_back(text);
    return all;
  }

private:
  static detail::dependency_set given([[maybe_unused]] notebook& book) {
    using needed = typename detail::closure<Workflows...>::dependencies;
    if constexpr (needed::size == 0)
      return {};
    else
      return dependencies<Workflows...>(book);
  }
  notebook& book_;
};

/// A file, or a database on the server of the parameter.
class any_database : public on_every_database {
protected:
  const std::string& file = fresh.url();
  /// More of them.
  std::string another() { return more_.emplace_back(std::make_unique<test_database>(GetParam()))->url(); }

private:
  std::vector<std::unique_ptr<test_database>> more_;
};
class sqlite3_file : public ::testing::Test {
protected:
  temporary_directory directory;
  std::string file = directory.file("test.db");
};

template <class Database = any_database> class workflow_fixture : public Database {
protected:
  notebook book;

  /// A process that is killed when `steps` steps of its instance A are recorded.
  template <const auto& Workflow> void kill_after(std::size_t steps) {
    world<Workflow> app{this->file, book};
    app.start(std::string{Workflow.name()}, {"A"}, "A");
    ASSERT_TRUE(app.run_until([&] { return app.history("A").size() == steps; }));
    app.crash();
  }
};

/// All that is said of instances and steps, a line each.
class recording_hooks : public lifecycle_hooks {
public:
  names lines;
  bool throwing = false;

  void on_workflow_start(const workflow_info& w) override { say("start " + w.instance_id); }
  void on_workflow_complete(const workflow_info& w) override { say("complete " + w.instance_id); }
  void on_workflow_failed(const workflow_info& w, const std::string& why) override {
    say("failed " + w.instance_id + ": " + why);
  }
  void on_workflow_cancelled(const workflow_info& w, const std::string& why) override {
    say("cancelled " + w.instance_id + ": " + why);
  }
  void on_workflow_parked(const workflow_info& w, const std::string& why) override {
    say("parked " + w.instance_id + ": " + why);
  }
  void on_replay(const workflow_info& w, int steps) override {
    say("replay " + w.instance_id + ' ' + std::to_string(steps));
  }
  void on_activity_start(const activity_info& a) override { say("start " + a.step + ' ' + std::to_string(a.attempt)); }
  void on_activity_complete(const activity_info& a) override { say("complete " + a.step); }
  void on_activity_failed(const activity_info& a, const std::string& why) override {
    say("failed " + a.step + ' ' + std::to_string(a.attempt) + ": " + why);
  }
  void on_activity_retry(const activity_info& a, const std::string& why, std::chrono::milliseconds delay) override {
    say("retry " + a.step + ' ' + std::to_string(a.attempt) + " after " + std::to_string(delay.count()) + ": " + why);
  }
  void on_event_sent(const event_info& e) override { say("sent " + e.type); }
  void on_event_delivered(const event_info& e) override { say("delivered " + e.type); }

  bool said(const std::string& line) const { return std::count(lines.begin(), lines.end(), line) > 0; }

private:
  void say(std::string line) {
    lines.push_back(std::move(line));
    if (throwing) throw std::runtime_error{"a bad hook"};
  }
};

} // namespace romancy::testing
