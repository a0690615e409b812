/// Tells CAF that all messages stay inside the process. The one that is to cross nodes gets an inspect function and a
/// type id instead.
#pragma once

#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/local_messages.hpp"

#define ROMANCY_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(romancy::type)

ROMANCY_LOCAL_MESSAGE(request_failed)
ROMANCY_LOCAL_MESSAGE(renew_epoch)
ROMANCY_LOCAL_MESSAGE(epoch_renewed)
ROMANCY_LOCAL_MESSAGE(release_epoch)
ROMANCY_LOCAL_MESSAGE(epoch_released)
ROMANCY_LOCAL_MESSAGE(start_instance)
ROMANCY_LOCAL_MESSAGE(instance_started)
ROMANCY_LOCAL_MESSAGE(release_instances)
ROMANCY_LOCAL_MESSAGE(claim_instances)
ROMANCY_LOCAL_MESSAGE(instances_claimed)
ROMANCY_LOCAL_MESSAGE(load_history)
ROMANCY_LOCAL_MESSAGE(history_loaded)
ROMANCY_LOCAL_MESSAGE(begin_compensation)
ROMANCY_LOCAL_MESSAGE(compensation_begun)
ROMANCY_LOCAL_MESSAGE(finish_instance)
ROMANCY_LOCAL_MESSAGE(instance_finished)
ROMANCY_LOCAL_MESSAGE(claim_events)
ROMANCY_LOCAL_MESSAGE(events_claimed)
ROMANCY_LOCAL_MESSAGE(mark_events)
ROMANCY_LOCAL_MESSAGE(events_marked)
ROMANCY_LOCAL_MESSAGE(release_events)
ROMANCY_LOCAL_MESSAGE(events_released)
ROMANCY_LOCAL_MESSAGE(watch_outbox)
ROMANCY_LOCAL_MESSAGE(events_committed)
ROMANCY_LOCAL_MESSAGE(acquire_session)
ROMANCY_LOCAL_MESSAGE(commit_attempt)
ROMANCY_LOCAL_MESSAGE(discard_attempt)
ROMANCY_LOCAL_MESSAGE(lease_dropped)
ROMANCY_LOCAL_MESSAGE(run_actions)
ROMANCY_LOCAL_MESSAGE(execute_attempt)
ROMANCY_LOCAL_MESSAGE(attempt_failed)
ROMANCY_LOCAL_MESSAGE(attempt_committed)
ROMANCY_LOCAL_MESSAGE(executor_idle)
ROMANCY_LOCAL_MESSAGE(set_timer)
ROMANCY_LOCAL_MESSAGE(timer_fired)
ROMANCY_LOCAL_MESSAGE(start_request)
ROMANCY_LOCAL_MESSAGE(look_for_instances)
ROMANCY_LOCAL_MESSAGE(drain)
ROMANCY_LOCAL_MESSAGE(fire_hook)
ROMANCY_LOCAL_MESSAGE(publish_events)
ROMANCY_LOCAL_MESSAGE(event_answered)
ROMANCY_LOCAL_MESSAGE(report_idle)

#undef ROMANCY_LOCAL_MESSAGE
