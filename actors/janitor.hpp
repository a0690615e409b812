#pragma once

#include <chrono>
#include <vector>

#include <romancy/retention_options.hpp>

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"

namespace romancy {

/// Has removed what is old enough, one small transaction at a time, and leaves others as much time between two of them as
/// the one before took. Looks again after retention_options::interval, or a little less: not all processes at the same
/// time. Any number of them may be at it.
class janitor final : public caf::event_based_actor {
public:
  janitor(caf::actor_config& cfg, environment_ptr env, caf::actor coordinator, caf::actor timekeeper);
  const char* name() const override { return "janitor"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

  /// False: everything is kept for ever, and nobody is needed.
  static bool has_work(const retention_options& options) { return !targets_of(options).empty(); }

private:
  struct target {
    retention_target what;
    std::chrono::milliseconds age;
  };
  static std::vector<target> targets_of(const retention_options& options);
  void ask();
  void look_later();

  environment_ptr env_;
  caf::actor coordinator_;
  caf::actor timekeeper_;
  std::vector<target> targets_;
  std::size_t next_ = 0;  ///< of targets_
  long long removed_ = 0; ///< of that, in this round
  caf::actor_clock::time_point asked_at_{};
};

} // namespace romancy
