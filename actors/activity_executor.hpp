#pragma once

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"

namespace romancy {

/// Runs user code, one attempt at a time, on a thread of its own. The outcome goes to the coordinator in the name of the
/// instance that asked, and the pool learns that the executor is free again.
class activity_executor final : public caf::event_based_actor {
public:
  activity_executor(caf::actor_config& cfg, environment_ptr env, caf::actor coordinator, caf::actor sessions,
                    caf::actor pool);
  const char* name() const override { return "activity_executor"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void execute(const execute_attempt& job, const caf::strong_actor_ptr& instance);
  lease_ptr borrow(const execute_attempt& job);

  environment_ptr env_;
  caf::actor coordinator_;
  caf::actor sessions_; ///< who lends them
  caf::actor pool_;
};

} // namespace romancy
