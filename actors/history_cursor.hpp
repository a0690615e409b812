#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <romancy/detail/ports.hpp>

#include "messages/history_record.hpp"
#include "messages/instance_record.hpp"
#include "messages/wait_record.hpp"

namespace romancy {

/// Matches what the function of a workflow asks for with what is recorded of the run: what a replay is, without an actor
/// and without a database. A disagreement makes it stuck, with the reason for which the instance parks.
class history_cursor {
public:
  /// @pre both outlive it
  history_cursor(const detail::definition_table& definitions, const instance_record& instance)
      : definitions_{definitions}, instance_{instance} {}

  /// Before the first request of the instance's run, of which this is recorded.
  void rewind(std::vector<history_record> history, std::vector<wait_record> waits);

  struct request {
    detail::step_ref state; ///< has the name of the step
    int position = 0;
    std::optional<wait_record> wait{}; ///< the step was waiting for that already
  };
  /// The name and the position of what is asked for, which it does not take yet. With a state that is done there is
  /// nothing to take. @throws payload_error
  request next(const detail::step_command& command);
  /// Takes the position. True: the step is not done yet; else its state has the recorded outcome, or the cursor is stuck.
  bool take(const detail::step_command& command, request& asked);

  /// The function began anew after its last request. @post stuck if history goes on
  void begun_anew();
  /// The function has ended after its last request. @post stuck if history goes on
  void ended();
  void undecodable(const detail::step_state& state, const std::string& why);
  void refuse(const std::string& why) {
    if (stuck_.empty()) stuck_ = why;
  }
  /// Why the instance parks; empty: it does not.
  const std::string& stuck() const { return stuck_; }

  void seen(const detail::step_state& state) { now_ = std::max(now_, state.recorded_at); }
  detail::utc_time now() const { return now_; }
  std::uint64_t random();

  int steps() const { return static_cast<int>(by_position_.size()); } ///< that are recorded
  const std::vector<history_record>& history() const { return history_; }
  bool has_waits() const { return !waits_.empty(); }
  /// What the step was waiting for, once.
  std::optional<wait_record> take_wait(const std::string& activity_id);

private:
  bool goes_past(int position) const;
  void check_version(const detail::step_command& command, int version);
  bool was_called(const detail::step_command& command, const std::string& before, const std::string& now) const;

  const detail::definition_table& definitions_;
  const instance_record& instance_;
  std::vector<history_record> history_;
  std::map<int, std::size_t> by_position_; ///< index in history_
  std::vector<wait_record> waits_;         ///< of steps that are not asked for yet
  int position_ = 0;                       ///< of the last request
  std::map<std::string, int> versions_;    ///< that were asked for
  std::map<std::string, int> counts_;      ///< how often each step was asked for
  std::string stuck_;
  detail::utc_time now_{};
  std::uint64_t random_ = 0; ///< the state of the generator
};

/// An outcome that is a failure, so that the step throws.
bool is_failure(const std::string& event_type);
/// What is recorded of a step, as the function sees it.
void fill(detail::step_state& state, const history_record& outcome);

} // namespace romancy
