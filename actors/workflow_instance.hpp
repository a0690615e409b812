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
  struct pending_step {
    detail::step_ref state;  ///< null for a compensation
    execute_attempt attempt; ///< what is executed, again and again
    retry_policy retry;
    commit_attempt event; ///< step_kind::event: committed without an executor
    bool executes = true;
    bool failing = false; ///< its failure is being recorded
    bool waits = false;   ///< for the time of its next attempt: nothing of it is on the way
    int lost = 0;         ///< attempts, one after another
    bool is_activity() const { return executes && attempt.kind != attempt_kind::transaction; }
  };

  // What the coroutine asks for.
  detail::step_ref begin(detail::step_command command) override;
  void suspend(std::coroutine_handle<> coroutine, detail::wait_condition& condition) override;
  void undecodable(const detail::step_state& state, const std::string& why) override;
  const std::string& instance_id() const override { return record_.instance_id; }

  void start_function();
  void run_function();
  void finish_function();
  void run_step(std::uint64_t ticket);
  pending_step prepare(const detail::step_command& command);
  void prepare_event(pending_step& step, const detail::outgoing_event& event);
  void committed(const attempt_committed& outcome);
  void attempt_has_failed(const attempt_failed& failure);
  void look_up_outcome(history_loaded& loaded);
  std::optional<std::chrono::milliseconds> pause_after(const pending_step& step, const attempt_failed& failure) const;
  void wait(pending_step& step, std::chrono::microseconds pause);
  void record_failure(std::uint64_t ticket, const std::string& message);

  void cancel(const std::string& reason);
  bool is_cancelling() const { return !record_.cancel_reason.empty() && !ending_; }
  void end_if_cancelled();
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

  std::shared_ptr<detail::workflow_coroutine> coroutine_;
  std::coroutine_handle<> suspended_;
  detail::wait_condition* condition_ = nullptr;
  std::string park_reason_;
  int position_ = 0;                  ///< of the last request of the function
  std::map<std::string, int> counts_; ///< how often each step was asked for
  std::uint64_t next_ticket_ = 1;
  std::map<std::uint64_t, pending_step> pending_;

  bool ending_ = false;                      ///< the function runs no longer
  std::string failure_;                      ///< why the function failed
  std::vector<compensation_record> to_undo_; ///< the next one at the end
  instance_record result_;
};

} // namespace romancy
