#include <atomic>
#include <future>
#include <thread>

#include "tests/app/running_app.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

struct progress {
  std::atomic<int> begun{0};
  std::atomic<bool> may_return{false};
  std::atomic<int> done{0};
};
constexpr auto slow = activity("slow", [](activity_context& ctx, progress& seen) -> void {
  ctx.on_commit([&seen] { ++seen.done; });
  ++seen.begun;
  while (!seen.may_return) std::this_thread::yield();
});
constexpr auto wait = workflow("wait", [](workflow_context<slow>& ctx, int) -> task<> { co_await ctx.call<slow>(); });

/// Returns once the app of this storage is being stopped. It has a relayer, so that another one is refused before, too.
void wait_until_it_stops(const storage& of, const std::string& broker_url) {
  relayer_options options;
  options.storage = of;
  options.broker_url = broker_url;
  outbox_relayer another{options};
  while (refusal<startup_error>([&] { another.start(); }).find("the app is shut down") == std::string::npos)
    std::this_thread::yield();
}

/// An app that is stopped while its activities are running, which return only then.
void stop_in_the_middle(app_options options, int instances, progress& seen) {
  const std::string broker_url = "http://127.0.0.1:1/events"; // nothing is sent
  options.outbox = {.enabled = true, .broker_url = broker_url};
  std::promise<storage> told;
  std::jthread life{[&] {
    app<wait> app{options, seen};
    for (int i = 0; i < instances; ++i) app.start<wait>(i);
    while (seen.begun == 0) std::this_thread::yield();
    told.set_value(app.storage());
  }};
  wait_until_it_stops(told.get_future().get(), broker_url);
  EXPECT_EQ(seen.done, 0);
  seen.may_return = true;
}

TEST_F(RunningApp, LetsRunningActivitiesCommitWhenItStops) {
  progress seen;
  stop_in_the_middle({.database = file}, 4, seen);
  database_file outside{file};
  EXPECT_GT(seen.done, 0);
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_history"), seen.done);
  EXPECT_EQ(outside.number("SELECT count(*) FROM worker_epochs"), 0);
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances WHERE owner_epoch IS NOT NULL"), 0);
}

TEST_F(RunningApp, StopsInTimeAlthoughTheBrokerNeverAnswers) {
  event_log broker{cli::answer_script::parse("hang,hang,hang,hang")};
  const auto began = std::chrono::steady_clock::now();
  {
    app<say> app{{.database = file, .outbox = {.enabled = true, .broker_url = broker.url()}, .shutdown_timeout = 300ms}};
    app.start<say>("hello").result();
    ASSERT_TRUE(broker.wait_for(1, 10s));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM outbox_events WHERE status = 'pending'"), 1);
}

TEST_F(RunningApp, ClaimsNoInstanceWhileItStopsAndItsRelayerWaitsForASlowBroker) {
  constexpr auto timeout = 9s; // a third of it is for the relayer; instances are looked for each second
  event_log broker{cli::answer_script::parse("hang")};
  std::promise<storage> told;
  std::promise<std::chrono::steady_clock::time_point> stop;
  std::chrono::steady_clock::duration took{};
  std::jthread life{[&] {
    std::chrono::steady_clock::time_point began;
    {
      app<say> app{
          {.database = file, .outbox = {.enabled = true, .broker_url = broker.url()}, .shutdown_timeout = timeout}};
      app.start<say>("hello", instance_id{"A"}).result();
      told.set_value(app.storage());
      began = stop.get_future().get();
    }
    took = std::chrono::steady_clock::now() - began;
  }};
  const auto its_storage = told.get_future().get();
  EXPECT_TRUE(broker.wait_for(1, 10s));
  const auto began = std::chrono::steady_clock::now();
  stop.set_value(began);
  wait_until_it_stops(its_storage, broker.url());
  database_file outside{file};
  outside.db().session() << "INSERT INTO workflow_instances (instance_id, workflow_name, input_data, started_at) "
                            "VALUES ('B', 'say', '[\"good bye\"]', '2026-01-01 00:00:00')";
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  life.join();
  EXPECT_GE(took, 2900ms); // it did wait for the broker
  EXPECT_LT(took, timeout);
  EXPECT_EQ(outside.texts("SELECT status || ' ' || fence FROM workflow_instances WHERE instance_id = 'B'"),
            std::vector<std::string>{"running 0"});
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_history WHERE instance_id = 'B'"), 0);
  EXPECT_EQ(outside.number("SELECT count(*) FROM worker_epochs"), 0);
  EXPECT_EQ(outside.number("SELECT count(*) FROM outbox_events WHERE status = 'pending' AND locked_by IS NULL"), 1);
}

TEST_F(RunningApp, StopsWithoutALimitOfTime) {
  progress seen;
  stop_in_the_middle({.database = file, .shutdown_timeout = std::chrono::milliseconds::max()}, 1, seen);
  EXPECT_EQ(seen.done, 1);
  database_file outside{file};
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_history"), 1);
  EXPECT_EQ(outside.number("SELECT count(*) FROM worker_epochs"), 0);
}

TEST_F(RunningApp, EndsOnAnotherThreadThanTheOneThatMadeIt) {
  auto made = std::make_unique<app<say>>(app_options{.database = file});
  EXPECT_EQ(made->start<say>("hello").result(), "hello");
  std::promise<void> ended;
  auto end = ended.get_future();
  std::thread other{[app = made.release(), ended = std::move(ended)]() mutable {
    delete app;
    ended.set_value();
  }};
  const bool in_time = end.wait_for(15s) == std::future_status::ready; // shutdown_timeout is 10 s
  EXPECT_TRUE(in_time);
  in_time ? other.join() : other.detach();
}

} // namespace
} // namespace romancy::testing
