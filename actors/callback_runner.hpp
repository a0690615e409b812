#pragma once

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"

namespace romancy {

/// Calls what the service has asked to be called: lifecycle hooks, and on_commit actions after their COMMIT. One after
/// another, on a thread of its own; what they throw goes no further.
class callback_runner final : public caf::event_based_actor {
public:
  /// When hooks are slower than what they are told, calls beyond this are dropped, and that is said once. Actions never
  /// are.
  static constexpr std::size_t max_backlog = 100'000;

  callback_runner(caf::actor_config& cfg, environment_ptr env) : event_based_actor{cfg}, env_{std::move(env)} {}
  const char* name() const override { return "callback_runner"; }

  caf::behavior make_behavior() override {
    guard(this, name());
    return {
        [this](const fire_hook& hook) {
          if (mailbox().size() > max_backlog) {
            if (!std::exchange(shedding_, true)) log().warn("lifecycle hooks are too slow: calls are dropped");
            return;
          }
          shedding_ = false;
          call("a lifecycle hook", [&] { hook.call(*env_->options.hooks); });
        },
        [this](const run_actions& request) {
          for (const auto& action : request.actions) call("an on_commit action", action);
        },
        [this](const drain&) { quit(); },
    };
  }

private:
  template <class Callback> static void call(const char* what, const Callback& callback) {
    try {
      callback();
    } catch (const std::exception& e) {
      log().error("{} threw: {}", what, e.what());
    } catch (...) {
      log().error("{} threw something that is no std::exception", what);
    }
  }

  environment_ptr env_;
  bool shedding_ = false;
};

} // namespace romancy
