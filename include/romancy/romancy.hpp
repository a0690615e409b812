/// Durable workflows and a transactional outbox. Includes all of the public API but caf.hpp; in order of reading:
///
///   activity.hpp, workflow.hpp       definitions: constexpr values made from functions
///   activity_context.hpp             inside a transaction: session(), transaction(), on_commit()
///   external_context.hpp             outside one: idempotency_key()
///   workflow_context.hpp             the steps a workflow may take: call, start, sleep_for, wait_event, transaction, …
///   received_event.hpp               what wait_event gives
///   task.hpp, outcome.hpp            what workflows return, what try_call gives
///   send_event_transactional.hpp     events; typed_event.hpp, event_data.hpp, event_options.hpp
///   retry_policy.hpp                 exponential(100ms).max_attempts(5).jitter(0.2); isolation_level.hpp
///   app.hpp, run.hpp                 serving workflows, starting instances, waiting for results; time_limit.hpp,
///                                    fork_options.hpp
///   replay_check.hpp                 whether new code fits what is stored: replay_options.hpp, replay_report.hpp,
///                                    replay_mismatch.hpp
///   http_options.hpp                 how app.http listens
///   app_options.hpp, outbox_options.hpp, retention_options.hpp, lifecycle_hooks.hpp
///   storage.hpp, outbox_event.hpp    looking at the database: instance_filter.hpp, input_condition.hpp,
///                                    instance_page.hpp, instance_summary.hpp, instance_details.hpp, history_entry.hpp
///   outbox_relayer.hpp               a relayer of its own
///   health.hpp, error.hpp
#pragma once

#include <romancy/activity.hpp>
#include <romancy/app.hpp>
#include <romancy/error.hpp>
#include <romancy/outbox_relayer.hpp>
#include <romancy/replay_check.hpp>
#include <romancy/send_event_transactional.hpp>
#include <romancy/storage.hpp>
#include <romancy/workflow.hpp>
