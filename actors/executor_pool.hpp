#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"

namespace romancy {

/// Hands attempts to executors, the one that became free last first, and makes executors as they are needed, up to
/// app_options::executors. An attempt whose executor dies is reported lost, and runs again. Asks attempts to stop that
/// run longer than they may, or whose results nobody waits for.
class executor_pool final : public caf::event_based_actor {
public:
  executor_pool(caf::actor_config& cfg, environment_ptr env, caf::actor coordinator, caf::actor sessions,
                caf::actor timekeeper);
  const char* name() const override { return "executor_pool"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  struct job {
    execute_attempt attempt;
    caf::strong_actor_ptr instance;
  };
  struct running {
    std::uint64_t ticket = 0;
    caf::strong_actor_ptr instance;
    std::shared_ptr<attempt_control> control;
    std::string step{}; ///< "charge_card:1 of A", if it has a timeout
    std::chrono::milliseconds timeout{};
  };
  using instant = attempt_control::instant;
  void dispatch();
  running begin(job& next) const;
  void stop_all();
  void watch_deadlines();
  void finish_drain();

  environment_ptr env_;
  caf::actor coordinator_;
  caf::actor sessions_;
  caf::actor timekeeper_;
  std::deque<job> waiting_;
  std::vector<caf::strong_actor_ptr> idle_;
  std::map<caf::actor_addr, running> busy_;
  instant armed_ = instant::max(); ///< for when the timekeeper was asked last
  bool draining_ = false;
};

} // namespace romancy
