#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"
#include "actors/roster.hpp"
#include "actors/supervisor_messages.hpp"

namespace romancy {

/// Starts its children in order and keeps them running. When one dies, it and all that were started after it are ended
/// and started anew, in order and after a pause: the later ones hold handles and state of the earlier ones. The pause
/// grows while deaths follow each other; after too many in a minute it is half a minute. Meanwhile the app's health is
/// not ok.
///
/// drain: ends the children, the last one first, each when it has finished what it was doing. Those that give others work
/// are told at once.
class supervisor final : public caf::event_based_actor {
public:
  supervisor(caf::actor_config& cfg, environment_ptr env, std::shared_ptr<roster> names,
             std::vector<child_spec> children);
  const char* name() const override { return "supervisor"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  using restart = caf::atom_constant<caf::atom("restart")>;

  struct child {
    child_spec spec;
    caf::actor actor; ///< null: not running
  };
  void start_missing();
  void has_died(child& dead, const std::string& why);
  void child_down(const caf::down_msg& down);
  void schedule_restart();
  void drain_next();

  environment_ptr env_;
  std::shared_ptr<roster> names_;
  std::vector<child> children_;
  std::set<caf::actor_addr> ending_; ///< told to end because an earlier sibling died
  std::deque<caf::actor_clock::time_point> recent_deaths_;
  bool restart_due_ = false;
  bool draining_ = false;
  std::vector<std::string> removing_; ///< names, the last one first
  std::function<void()> removed_;
};

} // namespace romancy
