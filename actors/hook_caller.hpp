#pragma once

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"

namespace romancy {

/// Calls the service's lifecycle_hooks, one after another, and swallows what they throw.
class hook_caller final : public caf::event_based_actor {
public:
  /// When hooks are slower than what they are told, more than this is dropped, and said so once.
  static constexpr std::size_t max_backlog = 100'000;

  hook_caller(caf::actor_config& cfg, environment_ptr env) : event_based_actor{cfg}, env_{std::move(env)} {}
  const char* name() const override { return "hook_caller"; }

  caf::behavior make_behavior() override {
    guard(this, name());
    return {
        [this](const fire_hook& hook) {
          if (mailbox().size() > max_backlog) {
            if (!std::exchange(shedding_, true)) log().warn("lifecycle hooks are too slow: calls are dropped");
            return;
          }
          shedding_ = false;
          try {
            hook.call(*env_->options.hooks);
          } catch (const std::exception& e) {
            log().warn("a lifecycle hook threw: {}", e.what());
          } catch (...) {
            log().warn("a lifecycle hook threw something that is no std::exception");
          }
        },
        [this](const drain&) { quit(); },
    };
  }

private:
  environment_ptr env_;
  bool shedding_ = false;
};

} // namespace romancy
