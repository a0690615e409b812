#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"

namespace romancy {

/// Claims due events, judges each (age, then retry limit, then send; seed: "Retry Logic and Error Handling"), hands what
/// is to be sent to the publisher, and marks what became of it, many at a time. Commits wake it; a poll is the safety
/// net. No transaction is open while a request is on the wire. Its claims last as long as the epoch of this process; a
/// new incarnation gives back those of the one before.
class outbox_relayer_actor final : public caf::event_based_actor {
public:
  outbox_relayer_actor(caf::actor_config& cfg, environment_ptr env, outbox_options options, caf::actor coordinator,
                       caf::actor publisher, caf::actor timekeeper, caf::actor callbacks);
  const char* name() const override { return "outbox_relayer"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void look();
  void poll_later();
  bool claim();
  void take(std::vector<event_record>& events);
  void answered(const event_answered& answer);
  void mark(event_mark mark, event_record event);
  void send_marks();
  void marked(const events_marked& result);
  void wake_at(time_point due);
  void tell_if_idle();
  void finish_drain();
  void call_hook(const event_mark& mark, const event_record& event);

  environment_ptr env_;
  outbox_options options_;
  caf::actor coordinator_;
  caf::actor publisher_;
  caf::actor timekeeper_;
  caf::actor callbacks_;

  struct judged {
    event_mark mark;
    event_record event;
  };
  std::map<std::string, event_record> on_wire_;
  std::vector<judged> to_mark_;
  std::vector<judged> marking_; ///< sent to the coordinator, not yet committed
  std::uint64_t mark_ticket_ = 0;
  int claims_ = 0;             ///< under way
  bool claim_again_ = false;   ///< more may be due
  std::set<time_point> wakes_; ///< when failed events are due again
  bool draining_ = false;
  bool released_ = false;
  std::vector<std::function<void()>> idle_listeners_;
};

} // namespace romancy
