#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/environment.hpp"
#include "actors/history_cursor.hpp"
#include "actors/pending_step.hpp"

namespace romancy {

/// The function of a workflow, as it runs for an instance: what it asks for is answered by history, and what history does
/// not know is prepared and handed on. Without an actor and without a database; nothing happens in the world.
class workflow_function final : private detail::instance_port {
public:
  /// Takes a step whose state somebody fills later. Called while the function runs.
  using step_taker = std::function<void(pending_step)>;

  /// @pre all outlive it
  workflow_function(const environment& env, const instance_record& instance, step_taker take)
      : env_{env}, instance_{instance}, take_{std::move(take)}, history_{env.definitions, instance} {}

  /// Before the run begins or is replayed: what is recorded of it.
  void rewind(std::vector<history_record> history, std::vector<wait_record> waits);
  /// Where the function is.
  enum class place {
    waits,  ///< for steps that were handed on
    ended,  ///< see output()
    as_new, ///< see new_input()
    stuck,  ///< see why_stuck()
  };
  /// Begins it, as far as it comes.
  place start();
  /// After a step was done.
  place go_on();
  const std::string& why_stuck() const { return history_.stuck(); }
  /// JSON text. @throws what the function has thrown, or payload_error
  std::string output();
  const std::optional<nlohmann::json>& new_input() const { return new_input_; } ///< of ctx.recur

  bool runs() const { return coroutine_ != nullptr; }
  /// It goes on no more; what executors use of it stays.
  void leave();
  /// It is destroyed where it is; what executors use of it stays until they are done.
  void end();
  history_cursor& history() { return history_; }

private:
  // What the coroutine asks for.
  detail::step_ref begin(detail::step_command command) override;
  void suspend(std::coroutine_handle<> coroutine, detail::wait_condition& condition) override;
  void undecodable(const detail::step_state& state, const std::string& why) override;
  const std::string& instance_id() const override { return instance_.instance_id; }
  void seen(const detail::step_state& state) override { history_.seen(state); }
  detail::utc_time now() const override { return history_.now(); }
  std::uint64_t random() override { return history_.random(); }

  void begin_anew(const detail::step_command& command);
  // The step that would be next. What cannot be stored is refused here, inside the workflow function, before it has a
  // position: so it is on replay as well.
  pending_step prepare(const detail::step_command& command, const history_cursor::request& asked) const;
  void prepare_event(pending_step& step, const detail::outgoing_event& event) const;
  void prepare_wait(pending_step& step, const detail::step_command& command) const;
  void prepare_child(pending_step& step, const detail::step_command& command) const;
  void prepare_channel(pending_step& step, const detail::step_command& command) const;
  std::string run_name() const { return romancy::run_name(instance_.instance_id, instance_.run); }

  const environment& env_;
  const instance_record& instance_;
  step_taker take_;
  history_cursor history_;
  std::shared_ptr<detail::workflow_coroutine> coroutine_;
  std::coroutine_handle<> suspended_;
  detail::wait_condition* condition_ = nullptr;
  std::optional<nlohmann::json> new_input_;
};

} // namespace romancy
