#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <romancy/detail/ports.hpp>
#include <romancy/instance_status.hpp>
#include <romancy/storage.hpp>
#include <romancy/testing/attempt.hpp>
#include <romancy/testing/broker.hpp>
#include <romancy/testing/crash_point.hpp>
#include <romancy/testing/scenario_options.hpp>
#include <romancy/testing/scenario_stuck.hpp>

namespace romancy::testing {

class scenario_world;

/// What a test does with a scenario, whatever it serves. Nothing happens between two calls: virtual time stands still,
/// and no message moves. Times are counted from the beginning of the scenario. One thread.
class scenario_control {
public:
  // -- time

  std::chrono::milliseconds now() const;
  /// Lets everything happen that happens by itself, however long it takes: until each instance has ended, is parked or
  /// waits for what only the test can bring, and the outbox has nothing to be delivered. Returns early when all apps are
  /// dead. @throws scenario_stuck
  void run_until_idle();
  /// Until `done`, which is asked after each message. @throws scenario_stuck when nothing happens any more and it is not
  void run_until(const std::function<bool()>& done);
  /// Lets time pass, and everything happen that falls into it.
  void advance(std::chrono::milliseconds time);
  /// The same, until it is `time` since the beginning.
  void run_until(std::chrono::milliseconds time) { advance(time - now()); }

  // -- the world outside

  testing::broker& broker();
  /// A CloudEvent comes in: for one instance, or with an empty `to` for whom the workflows declare, else for all that
  /// wait. True if it is new. @throws as app::receive
  bool receive(const std::string& type, const nlohmann::json& data, const std::string& to = {},
               const std::string& id = {});

  // -- faults

  /// Kills an app, as kill -9 does: what it has not committed is gone.
  void crash(int node = 0);
  /// Kills it there. One point at a time for each app.
  void crash_at(crash_point where, int node = 0);
  /// Starts an app again from what is on disk; one that runs is killed first.
  void restart(int node = 0);
  bool is_running(int node = 0) const;
  /// The `number`-th attempt (ctx.attempt()) at an activity throws `why` instead of running, in each instance.
  void fail_attempt(const std::string& activity, int number, const std::string& why);
  /// It takes this long before it runs.
  void stall_attempt(const std::string& activity, int number, std::chrono::milliseconds time);
  /// Another process holds the database, from the end of the transaction that is open: nobody can write.
  void stop_database();
  void start_database();
  /// The app's statements fail, and its requests to the broker get no answer.
  void cut(int node = 0);
  void heal(int node = 0);

  // -- looking

  instance_status status(const std::string& instance_id) const;
  /// Why it failed, was cancelled or parked.
  std::string error(const std::string& instance_id) const;
  /// "create_order:1 ActivityCompleted", in order of completion.
  std::vector<std::string> history(const std::string& instance_id) const;
  /// "order.created published", in order of insertion.
  std::vector<std::string> outbox() const;
  /// Runs a statement in a transaction of its own.
  void execute(const std::string& sql);
  /// The rows of a query, each with a space between its values; NULL is "-".
  std::vector<std::string> rows(const std::string& sql) const;
  const std::vector<attempt>& attempts() const;
  /// What the apps have logged: "12.500 s  warning  …".
  const std::vector<std::string>& log() const;
  /// Messages between actors, with whom they went to: "12.500 s  node 0  timekeeper  set_timer".
  std::vector<std::string> messages() const;
  /// What happened, line by line: attempts, requests to the broker, crashes. For the message of a test that fails.
  std::string timeline() const;

protected:
  scenario_control(scenario_options options, detail::definition_table definitions, detail::dependency_set dependencies);
  ~scenario_control();
  scenario_control(const scenario_control&) = delete;
  scenario_control& operator=(const scenario_control&) = delete;

  std::shared_ptr<detail::runtime> runtime() const;

private:
  std::shared_ptr<scenario_world> world_;
  int events_ = 0; ///< received
};

} // namespace romancy::testing
