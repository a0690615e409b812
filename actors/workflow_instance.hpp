#pragma once

#include <coroutine>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"

namespace romancy {

/// The actors an instance talks to.
struct instance_peers {
  caf::actor coordinator;
  caf::actor executors;
  caf::actor timekeeper;
  caf::actor callbacks;
};

/// One running instance: holds the suspended coroutine, matches what it asks for with history, has new steps executed,
/// and resumes it with their outcomes. Never blocks. When the function fails it undoes what is done; a disagreement
/// between code and history parks the instance. Ends normally when the instance is settled, or owned by someone else;
/// with an error when it must begin anew.
class workflow_instance final : public caf::event_based_actor, private detail::instance_port {
public:
  struct beginning {
    bool fresh = false;   ///< it was started just now, so it has no history
    int failures = 0;     ///< how often it could not go on, without a step in between; after too many it parks …
    std::string reason{}; ///< … with the last reason
    caf::actor dispatcher{};
  };
  workflow_instance(caf::actor_config& cfg, environment_ptr env, instance_peers peers, instance_record record,
                    beginning how);
  const char* name() const override { return "workflow_instance"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  /// How a step gets its outcome.
  enum class way {
    execute, ///< an executor runs user code, perhaps several times
    commit,  ///< there is nothing but rows to write
    wait,    ///< for a time, an event or a child
    choose,  ///< once one of its candidates is done it is committed
  };
  struct pending_step {
    way how = way::execute;
    detail::step_ref state;  ///< null for a compensation
    execute_attempt attempt; ///< what is executed, again and again
    retry_policy retry;
    commit_attempt commit;                 ///< way::commit, way::choose
    wait_record wait;                      ///< way::wait, and for the next attempt
    bool stored = false;                   ///< the wait is in the database
    std::uint64_t asked = 0;               ///< ticket of the question that writes it
    std::optional<instance_record> child;  ///< that is to be started
    std::vector<detail::step_ref> choices; ///< way::choose
    bool failing = false;                  ///< its failure is being recorded
    bool waits = false;                    ///< nothing of it is on the way
    int lost = 0;                          ///< attempts, one after another
    bool is_activity() const { return how == way::execute && attempt.kind != attempt_kind::transaction; }
  };
  /// Why the function runs no longer.
  enum class leaving { not_yet, completed, failed, cancelled, as_new };

  // What the coroutine asks for.
  detail::step_ref begin(detail::step_command command) override;
  void suspend(std::coroutine_handle<> coroutine, detail::wait_condition& condition) override;
  void undecodable(const detail::step_state& state, const std::string& why) override;
  const std::string& instance_id() const override { return record_.instance_id; }
  void seen(const detail::step_state& state) override { now_ = std::max(now_, state.recorded_at); }
  detail::utc_time now() const override { return now_; }
  std::uint64_t random() override;

  void go_on();
  void start_function();
  void run_function();
  void function_has_ended();
  bool goes_past(int position) const;
  void run_step(std::uint64_t ticket);
  pending_step prepare(const detail::step_command& command);
  void check_version(const detail::step_command& command, int version);
  void prepare_event(pending_step& step, const detail::outgoing_event& event);
  void prepare_wait(pending_step& step, const detail::step_command& command);
  void prepare_child(pending_step& step, const detail::step_command& command);
  void prepare_channel(pending_step& step, const detail::step_command& command);
  void commit_of(pending_step& step, history_event what, std::string data);
  void resume_wait(pending_step& step);
  void committed(const attempt_committed& outcome);
  void make_choices();
  void attempt_has_failed(const attempt_failed& failure);
  void look_up_outcome(history_loaded& loaded);
  std::optional<std::chrono::milliseconds> pause_after(const pending_step& step, const attempt_failed& failure) const;
  void wait(pending_step& step, std::chrono::microseconds pause);
  void wait_for_next_attempt(pending_step& step, std::chrono::microseconds pause);
  void record_failure(std::uint64_t ticket, const std::string& message);

  // Waiting for what is not this process's to bring about.
  void look_for_outcomes(bool something_happened);
  void has_waited(waited& answer);
  void time_has_come();
  void set_wait_timer();

  void cancel(const std::string& reason);
  bool is_cancelling() const { return !record_.cancel_reason.empty() && !ending_; }
  void leave(leaving how);
  void leave_if_nothing_is_on_the_way();
  void withdraw_attempts(stop_cause why);
  void fail(const std::string& why);
  void compensate_next();
  void settle(instance_status status, std::string output, std::string error);
  void settled();
  void park(const std::string& why);

  void call_hook(std::function<void(lifecycle_hooks&)> call);
  workflow_info info() const { return {record_.instance_id, record_.workflow}; }
  activity_info info(const execute_attempt& attempt) const;

  environment_ptr env_;
  instance_peers peers_;
  instance_record record_;
  beginning how_;
  std::vector<history_record> history_;
  std::map<int, std::size_t> by_position_; ///< index in history_
  std::vector<wait_record> stored_waits_;  ///< of steps that are not asked for yet

  std::shared_ptr<detail::workflow_coroutine> coroutine_;
  std::coroutine_handle<> suspended_;
  detail::wait_condition* condition_ = nullptr;
  std::string park_reason_;
  int position_ = 0;                    ///< of the last request of the function
  std::map<std::string, int> versions_; ///< that were asked for
  std::map<std::string, int> counts_;   ///< how often each step was asked for
  std::uint64_t next_ticket_ = 1;
  std::map<std::uint64_t, pending_step> pending_;
  detail::utc_time now_{};
  std::uint64_t random_ = 0; ///< the state of the generator
  std::uint64_t history_ticket_ = 0;
  std::uint64_t looking_ = 0;               ///< ticket of the question that is on the way; 0: none is
  bool look_again_ = false;                 ///< something has happened since
  std::uint64_t wait_timer_ = 0;            ///< ticket of the timer that counts
  std::string cancelled_meanwhile_;         ///< while it was continued as new
  bool has_waited_ = false;                 ///< there may be rows of waits, subscriptions or messages
  std::optional<nlohmann::json> new_input_; ///< of recur

  leaving leaving_ = leaving::not_yet;
  std::string output_;                       ///< of the function
  bool ending_ = false;                      ///< the function is gone
  std::string failure_;                      ///< why the function failed
  std::vector<compensation_record> to_undo_; ///< the next one at the end
  instance_record result_;
};

} // namespace romancy
