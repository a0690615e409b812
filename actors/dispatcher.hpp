#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/answer_slot.hpp"
#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"
#include "actors/workflow_instance.hpp"

namespace romancy {

/// Starts instances, takes over those that nobody owns, and keeps one actor for each that this process owns.
class dispatcher final : public caf::event_based_actor {
public:
  dispatcher(caf::actor_config& cfg, environment_ptr env, instance_peers peers);
  const char* name() const override { return "dispatcher"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void look();
  void poll();
  void poll_later();
  void run(instance_record record, bool fresh);
  void stop_and_undo(const cancel_request& request);
  template <class Message> void tell_instance(const std::string& instance_id, const Message& message);
  void wake_at(const std::optional<time_point>& due);
  void instance_ended(const caf::down_msg& down);
  void restart_later(const std::string& instance_id);
  void finish_drain();

  environment_ptr env_;
  instance_peers peers_;
  std::vector<std::string> workflows_;
  std::uint64_t next_ticket_ = 1; ///< 0 is the poll timer
  std::map<std::uint64_t, std::shared_ptr<start_slot>> starting_;
  std::map<std::uint64_t, std::shared_ptr<cancel_slot>> cancelling_;
  std::map<std::uint64_t, std::shared_ptr<receive_slot>> receiving_;
  std::map<std::uint64_t, std::shared_ptr<fork_slot>> forking_;
  std::map<std::uint64_t, std::string> to_restart_; ///< by ticket of their timer
  std::map<std::uint64_t, std::string>
      releasing_;                               ///< by ticket of the request: given back, to be claimed as they now are
  std::map<std::string, caf::actor> instances_; ///< null: it ended by an error and waits to begin anew
  struct trouble {
    int failures = 0; ///< without a step in between
    std::string reason;
  };
  std::map<std::string, trouble> troubled_; ///< instances that could not go on
  std::map<caf::actor_addr, std::string> by_address_;
  std::optional<time_point> next_due_; ///< of an instance that nobody owns
  std::uint64_t due_timer_ = 0;
  int asked_for_ = 0;
  int pause_ = 1;      ///< of so many polls one looks
  int until_look_ = 1; ///< polls
  bool looking_ = false;
  bool look_again_ = false;
  bool hungry_ = false; ///< there was no room for more instances
  bool draining_ = false;
};

} // namespace romancy
