#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <romancy/romancy.hpp>

#include "actors/answer_slot.hpp"
#include "actors/attempt_watcher.hpp"
#include "actors/environment.hpp"
#include "actors/local_messages.hpp"
#include "messages/event_record.hpp"
#include "messages/instance_record.hpp"
#include "runtime/core_actors.hpp"
#include "storage/tables.hpp"

namespace romancy::testing {

/// What a simulated broker got, and when.
struct sent_request {
  std::chrono::milliseconds at{}; ///< since the simulation began
  http_request request;
};

/// What a simulated broker answers, and when.
struct broker_answer {
  http_response response;
  std::optional<std::chrono::milliseconds> after{0}; ///< of virtual time; nothing: when simulation::answer says so

  broker_answer(http_response at_once) : response{std::move(at_once)} {}
  broker_answer(http_response later, std::chrono::milliseconds time) : response{std::move(later)}, after{time} {}
  static broker_answer held() {
    broker_answer none{http_response{}};
    none.after.reset();
    return none;
  }
};

/// How a simulation begins.
struct simulation_start {
  std::chrono::nanoseconds at{}; ///< virtual time, since zero
  time_point zero = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
  std::uint64_t seed = 0; ///< of its random numbers; 0: another one each time
  std::shared_ptr<attempt_watcher> attempts{};
};

/// The whole runtime on one thread, as a process that can be killed: a real database, virtual time, a scripted broker.
/// Every step is one message of one actor.
class simulation {
public:
  simulation(std::string database, app_options options, detail::definition_table definitions = {},
             detail::dependency_set dependencies = {}, simulation_start how = {});
  virtual ~simulation();

  /// What the broker answers to the n-th request (from 1); 202 at once unless told otherwise.
  std::function<broker_answer(int n, const http_request&)> broker;
  std::vector<sent_request> sent;
  /// Called before each statement of a coordinator. It may throw a soci::soci_error, on SQLite only before statements of
  /// transactions.
  std::function<void(database&, std::string_view sql)> on_statement;
  /// Called before each connection is made. It may throw a startup_error.
  std::function<void()> on_open;
  /// Set by on_statement: nothing runs any more, and nobody connects.
  bool dead = false;
  /// Answers the n-th request, unless it is answered or its publisher is gone.
  void answer(int n, http_response response = {202, ""});
  int outstanding() const { return static_cast<int>(on_wire_.size()); } ///< requests without an answer

  void start_relayer(const outbox_options& options);
  /// Asks for an instance; what became of it is in the database, and in the slot.
  std::shared_ptr<start_slot> start(const std::string& workflow, const nlohmann::json& inputs, const std::string& id,
                                    std::optional<std::chrono::milliseconds> limit = {});
  std::shared_ptr<cancel_slot> cancel(const std::string& id, const std::string& reason);
  std::shared_ptr<fork_slot> fork(const std::string& id, const std::string& from_step, const std::string& new_id);

  /// As an event that comes in over HTTP: `data` as its data, for one instance or, with an empty `to`, for all that wait.
  std::shared_ptr<receive_slot> receive(const std::string& type, const nlohmann::json& data, const std::string& to = {},
                                        const std::string& id = {});

  /// One message; false if none is waiting.
  bool step();
  bool has_message() const;
  /// The next one: to which kind of actor, and what.
  std::pair<const char*, std::string> next_message() const;
  /// When the next timer is due.
  std::optional<std::chrono::nanoseconds> next_timer() const;
  /// It is then, at once; what was due until then fires.
  void jump_to(std::chrono::nanoseconds time);
  std::chrono::nanoseconds exact_time() const;
  /// All messages that need no time to pass.
  void settle();
  /// Time that user code takes: nothing else happens meanwhile.
  void pass(std::chrono::milliseconds time);
  /// Lets time pass, message by message and timer by timer.
  void advance(std::chrono::milliseconds time);
  /// At most `steps` messages and timers, until `done`; false if it is not.
  bool run_until(const std::function<bool()>& done, int steps = 100'000);
  /// The same, with a look at `done` only when nothing happens without time; at most so many timers.
  bool settles(const std::function<bool()>& done, int times = 10'000);
  std::chrono::milliseconds now() const;
  time_point wall() const;
  /// kill -9: nothing that is queued runs, nobody is asked.
  void crash();
  void kill(const std::string& actor);
  /// As the end of the app: lets all finish what is under way.
  void drain() { core_->drain(); }
  bool has_ended() const; ///< after drain

  /// A connection of the test's own.
  database& db() { return *db_; }
  long long count(const std::string& sql);
  std::string text(const std::string& sql);
  void insert_event(const std::string& id, std::chrono::milliseconds age = {});
  std::string event_state(const std::string& id); ///< "pending 2"
  instance_record instance(const std::string& id);
  /// "create_order:1 ActivityCompleted", in order of completion.
  std::vector<std::string> history(const std::string& id);
  std::vector<std::string> event_types();
  romancy::roster& roster() { return *core_->roster(); }
  const environment& env() const { return *env_; }
  health_board& health() { return *env_->health; }

private:
  class scripted_http;
  class virtual_clock;
  struct request_on_wire {
    const scripted_http* from;
    std::function<void(http_response)> answer;
  };

  caf::actor ask_dispatcher();

  std::shared_ptr<environment> env_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  std::unique_ptr<core_actors> core_;
  std::unique_ptr<database> db_;
  std::map<int, request_on_wire> on_wire_;
  int events_ = 0;
  caf::actor broker_clock_; ///< brings answers that come later
};

/// The definitions of an app, as the runtime sees them.
template <const auto&... Workflows> detail::definition_table definitions() {
  return detail::closure<Workflows...>::table;
}
template <const auto&... Workflows, class... Given> detail::dependency_set dependencies(Given&... given) {
  return detail::collect(typename detail::closure<Workflows...>::dependencies{}, given...);
}

} // namespace romancy::testing
