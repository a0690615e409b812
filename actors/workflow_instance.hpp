#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"
#include "actors/workflow_function.hpp"

namespace romancy {

/// The actors an instance talks to.
struct instance_peers {
  caf::actor coordinator;
  caf::actor executors;
  caf::actor timekeeper;
  caf::actor callbacks;
};

/// One running instance: holds its function, has the steps executed that history does not know, and lets it go on with
/// their outcomes. Never blocks. When the function fails it undoes what is done; a disagreement between code and history
/// parks the instance. Ends normally when the instance is settled, or owned by someone else; with an error when it must
/// begin anew.
class workflow_instance final : public caf::event_based_actor {
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
  /// Why the function runs no longer.
  enum class leaving { not_yet, completed, failed, cancelled, as_new };

  void go_on(history_loaded& loaded);
  void start_function();
  void run_function();
  void act_on(workflow_function::place where);
  void function_has_ended();

  // Steps, and how they come about.
  void begin_step(pending_step step);
  void run_step(std::uint64_t ticket);
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
  workflow_function function_;
  std::uint64_t next_ticket_ = 1;
  std::map<std::uint64_t, pending_step> pending_;
  std::uint64_t history_ticket_ = 0;
  std::uint64_t looking_ = 0;       ///< ticket of the question that is on the way; 0: none is
  bool look_again_ = false;         ///< something has happened since
  std::uint64_t wait_timer_ = 0;    ///< ticket of the timer that counts
  std::string cancelled_meanwhile_; ///< while it was continued as new
  bool has_waited_ = false;         ///< there may be rows of waits, subscriptions or messages
  std::string next_input_;          ///< of recur

  leaving leaving_ = leaving::not_yet;
  std::string output_;                       ///< of the function
  bool ending_ = false;                      ///< the function is gone
  std::string failure_;                      ///< why the function failed
  std::vector<compensation_record> to_undo_; ///< the next one at the end
  std::vector<history_record> not_undone_;   ///< failures for good
  instance_record result_;
};

} // namespace romancy
