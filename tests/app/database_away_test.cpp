#include <atomic>
#include <thread>

#include "tests/app/running_app.hpp"
#include "tests/cli/http_client.hpp"
#include "tests/support/database_file.hpp"

namespace romancy::testing {
namespace {

struct attempts {
  std::atomic<int> begun{0};
  std::atomic<bool> may_write{false};
};
constexpr auto write = activity("write", [](activity_context& ctx, const std::string& text, attempts& of_it) -> void {
  ++of_it.begun;
  while (!of_it.may_write) std::this_thread::yield();
  ctx.session() << "INSERT INTO written (text) VALUES (:text)", soci::use(text);
});
constexpr auto write_down = workflow("write_down", [](workflow_context<write>& ctx, const std::string& text) -> task<> {
  co_await ctx.call<write>(text);
});

TEST_F(RunningApp, WaitsForADatabaseThatAnotherProcessHolds) {
  app<say> app{{.database = file}};
  app.start<say>("before").result();
  database_file outside{file};
  outside.db().begin();
  std::jthread client{[&] { EXPECT_EQ(app.start<say>("meanwhile", instance_id{"M"}).result(), "meanwhile"); }};
  while (app.health().database_error.empty())
    std::this_thread::yield(); // the first BEGIN has waited for the lock in vain
  outside.db().commit();
  client.join();
  EXPECT_TRUE(app.health().ok);
}

/// Starts it again until it is confirmed, as callers do.
template <const auto& Workflow, class App>
std::string start_again(App& app, const std::string& text, const std::string& id) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  for (;;) try {
      return app.template start<Workflow>(text, instance_id{id}).result(30s);
    } catch (const start_unconfirmed& e) {
      EXPECT_EQ(e.instance_id(), id);
      if (std::chrono::steady_clock::now() >= end) throw;
    }
}
/// The id of a start that nobody confirmed.
template <class Start> std::string unconfirmed(Start start) {
  try {
    start();
  } catch (const start_unconfirmed& e) {
    EXPECT_TRUE(e.retryable());
    EXPECT_NE(std::string{e.what()}.find(e.instance_id()), std::string::npos) << e.what();
    EXPECT_NE(std::string{e.what()}.find("start it again with the same id"), std::string::npos) << e.what();
    return e.instance_id();
  }
  return "it is confirmed";
}

TEST_F(RunningApp, SaysWhichStartIsUnconfirmedSoThatItCanBeStartedAgain) {
  app<say> app{{.database = file, .database_timeout = 200ms}};
  app.start<say>("before").result();
  database_file outside{file};
  outside.db().begin(); // and keeps the lock
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(unconfirmed([&] { app.start<say>("hello", instance_id{"A"}); }), "A");
  EXPECT_GE(std::chrono::steady_clock::now() - began, 200ms);
  const auto made = unconfirmed([&] { app.start<say>("no id given"); });
  EXPECT_EQ(made.size(), 36U) << made; // a UUID
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances"), 1);
  outside.db().commit();
  EXPECT_EQ(start_again<say>(app, "hello", "A"), "hello");
  EXPECT_EQ(start_again<say>(app, "no id given", made), "no id given");
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances"), 3);
  EXPECT_EQ(outside.number("SELECT count(*) FROM outbox_events"), 3);
}

TEST_F(RunningApp, LosesAnUnconfirmedStartWithItsLifeAndTheNextOneStartsItOnce) {
  database_file outside{file};
  {
    app<say> app{{.database = file, .database_timeout = 200ms, .shutdown_timeout = 200ms}};
    app.start<say>("before").result();
    outside.db().begin();
    EXPECT_EQ(unconfirmed([&] { app.start<say>("hello", instance_id{"A"}); }), "A");
  }
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances"), 1);
  outside.db().commit();
  app<say> next{{.database = file}};
  EXPECT_EQ(next.start<say>("hello", instance_id{"A"}).result(30s), "hello");
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances"), 2);
  EXPECT_EQ(outside.number("SELECT count(*) FROM outbox_events"), 2);
}

TEST_F(RunningApp, WaitsForItsSessionWithoutALimitOfTime) {
  attempts of_it;
  app<write_down> app{{.database = file, .database_timeout = std::chrono::milliseconds::max()}, of_it};
  database_file outside{file};
  outside.db().session() << "CREATE TABLE written (text TEXT)";
  const auto run = app.start<write_down>("hello");
  while (of_it.begun == 0) std::this_thread::yield();
  outside.db().begin();
  of_it.may_write = true;
  while (app.health().database_error.empty()) std::this_thread::yield();
  outside.db().commit();
  EXPECT_NO_THROW(run.result(5s));
  EXPECT_EQ(of_it.begun, 1); // no attempt was lost for want of a session
}

constexpr auto answered = workflow("answered", [](workflow_context<>& ctx, const std::string& text) -> task<std::string> {
  std::string all = text;
  for (int i = 0; i < 2; ++i) all += co_await ctx.wait_event<std::string>("answer");
  co_return all;
});

TEST_F(RunningApp, RefusesEventsForNowWhileTheDatabaseIsHeldAndTakesThemOnceWhenTheyComeAgain) {
  app<answered> app{{.database = file, .database_timeout = 200ms}};
  const auto run = app.start<answered>("said: ", instance_id{"A"});
  cli::http_client client{app.http({})};
  const auto post = [&](const std::string& id) {
    return client.post({"Content-Type: application/cloudevents+json"}, nlohmann::json{{"specversion", "1.0"},
                                                                                      {"id", id},
                                                                                      {"source", "test"},
                                                                                      {"type", "answer"},
                                                                                      {"romancyinstanceid", "A"},
                                                                                      {"data", id}}
                                                                           .dump());
  };
  EXPECT_EQ(post("1").status, 202);
  database_file outside{file};
  outside.db().begin(); // and keeps the lock
  const auto refused = post("2");
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(nlohmann::json::parse(refused.body).at("retryable"), true) << refused.body;
  EXPECT_EQ(outside.number("SELECT count(*) FROM inbox_events"), 1);
  outside.db().commit();
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (post("2").status != 202 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_EQ(run.result(30s), "said: 12");
  EXPECT_EQ(outside.number("SELECT count(*) FROM inbox_events"), 2);
}

} // namespace
} // namespace romancy::testing
