#pragma once

#include <string>
#include <string_view>

#include "messages/time_point.hpp"

namespace romancy {

/// What a row of history says happened. Stored as text; the words never change.
enum class history_event {
  activity_completed,
  activity_failed,
  transaction_completed,
  transaction_failed,
  event_sent,
  event_failed,
  compensation_executed,
  compensation_failed,
  timer_fired,
  event_received,
  wait_timed_out,
  child_completed,
  child_failed,
  channel_changed, ///< a subscription or a group
  message_sent,
  channel_failed,
  choice_made, ///< by any
  version_chosen,
};

constexpr std::string_view to_string(history_event event) {
  switch (event) {
    case history_event::activity_completed: return "ActivityCompleted";
    case history_event::activity_failed: return "ActivityFailed";
    case history_event::transaction_completed: return "TransactionCompleted";
    case history_event::transaction_failed: return "TransactionFailed";
    case history_event::event_sent: return "EventSent";
    case history_event::event_failed: return "EventFailed";
    case history_event::compensation_executed: return "CompensationExecuted";
    case history_event::compensation_failed: return "CompensationFailed";
    case history_event::timer_fired: return "TimerFired";
    case history_event::event_received: return "EventReceived";
    case history_event::wait_timed_out: return "WaitTimedOut";
    case history_event::child_completed: return "ChildCompleted";
    case history_event::child_failed: return "ChildFailed";
    case history_event::channel_changed: return "ChannelChanged";
    case history_event::message_sent: return "MessageSent";
    case history_event::channel_failed: return "ChannelFailed";
    case history_event::choice_made: return "ChoiceMade";
    case history_event::version_chosen: return "VersionChosen";
  }
  return "unknown";
}

/// The recorded outcome of one step.
struct history_record {
  std::string activity_id; ///< "create_order:1"
  int position = 0;        ///< the workflow's n-th request, from 1; 0: not asked for by the workflow function
  std::string event_type;  ///< a history_event; kept as text, so that a newer one parks instead of failing to load
  std::string data;        ///< the output as JSON text, or the failure's message
  int attempts = 1;
  std::string details{};   ///< JSON text about the attempts, for people; empty: none
  time_point created_at{}; ///< when it was recorded
};

} // namespace romancy
