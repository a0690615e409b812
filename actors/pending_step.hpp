#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <romancy/retry_policy.hpp>

#include "actors/local_messages.hpp"

namespace romancy {

/// A step that the workflow function has asked for and that has no outcome yet, with all that is needed to bring it
/// about.
struct pending_step {
  /// How it gets its outcome.
  enum class way {
    execute, ///< an executor runs user code, perhaps several times
    commit,  ///< there is nothing but rows to write
    wait,    ///< for a time, an event or a child
    choose,  ///< once one of its candidates is done it is committed
  };
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
  /// There is nothing to do but to write this.
  void commits(history_event what, std::string data) {
    how = how == way::choose ? how : way::commit;
    commit.step.instance_id = attempt.instance_id;
    commit.step.fence = attempt.fence;
    commit.step.history = {attempt.activity_id, attempt.position, std::string{to_string(what)}, std::move(data), 1};
  }
};

} // namespace romancy
