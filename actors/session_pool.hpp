#pragma once

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

/// Hands requests for a session to coordinators that lend theirs, the one that became free last first, and makes them as
/// they are needed, up to app_options::database_sessions. A coordinator that dies takes the pool along: what was
/// committed through it last nobody here knows.
class session_pool final : public caf::event_based_actor {
public:
  /// `general` is the coordinator that does all the rest, under the same `epoch`.
  session_pool(caf::actor_config& cfg, environment_ptr env, std::string epoch, caf::actor callbacks, caf::actor general);
  const char* name() const override { return "session_pool"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void dispatch();
  void finish_drain();

  environment_ptr env_;
  std::string epoch_;
  caf::actor callbacks_;
  caf::actor general_;
  std::deque<std::shared_ptr<session_request>> waiting_;
  std::map<caf::actor_addr, caf::actor> all_;
  std::vector<caf::actor> free_;
  bool draining_ = false;
};

} // namespace romancy
