#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"
#include "actors/roster.hpp"
#include "storage/listener.hpp"

namespace romancy {

/// Wakes the dispatcher and the relayer of this process for what other processes have committed, where the database tells
/// of it. Nobody depends on it: both look by themselves too. Listens on a thread of its own, and connects anew when the
/// connection is lost.
class commit_listener final : public caf::event_based_actor {
public:
  commit_listener(caf::actor_config& cfg, environment_ptr env, std::shared_ptr<roster> names);
  const char* name() const override { return "commit_listener"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void listen();

  environment_ptr env_;
  std::shared_ptr<roster> names_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stopped_ = false;
  std::unique_ptr<listener> listener_; ///< set by the thread, under the mutex
  std::thread thread_;
};

} // namespace romancy
