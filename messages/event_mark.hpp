#pragma once

#include <string>

#include <romancy/outbox_event.hpp>

#include "messages/time_point.hpp"

namespace romancy {

/// What a relayer found out about an event it has claimed.
struct event_mark {
  std::string event_id;
  outbox_status status = outbox_status::pending; ///< pending: to be tried again
  bool attempted = false;                        ///< failed in a way that counts as one of max_retries
  std::string last_error;
  time_point next_attempt_at{}; ///< for pending
};

} // namespace romancy
