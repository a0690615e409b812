#pragma once

#include <chrono>
#include <string>

namespace romancy {

struct workflow_info {
  std::string instance_id;
  std::string workflow;
};

struct activity_info {
  std::string instance_id;
  std::string step; ///< "charge_card:1"; a compensation is "@compensate:charge_card:1"
  int attempt = 1;
};

struct event_info {
  std::string id;
  std::string type;
  std::string source;
  std::string instance_id; ///< empty: not sent by a workflow
};

/// Told what happens: starts and retries as they begin, outcomes after they are durable. Derive, override what is wanted,
/// and give it to `app_options::hooks`.
///
/// All calls come one after another from one thread of the app that does nothing else: a slow hook delays only other
/// hooks. An exception that leaves a hook is logged and goes no further. Calls may be lost when the process dies and are
/// never made up; what must happen belongs in an activity.
/// Source: seed, "Lifecycle Hooks: Monitor outbox events with lifecycle hooks".
class lifecycle_hooks {
public:
  virtual ~lifecycle_hooks() = default;

  virtual void on_workflow_start(const workflow_info&) {}
  virtual void on_workflow_complete(const workflow_info&) {}
  virtual void on_workflow_failed(const workflow_info&, const std::string& /*reason*/) {}
  /// It was cancelled and what it had done is undone.
  virtual void on_workflow_cancelled(const workflow_info&, const std::string& /*reason*/) {}
  /// Stopped for an operator; the reason says what code and history disagree on, or why it cannot go on. Or no running
  /// app serves its workflow: then it goes on once one does, and the app that parks it calls this.
  virtual void on_workflow_parked(const workflow_info&, const std::string& /*reason*/) {}
  /// The function is run again over its history, which has `recorded_steps` outcomes.
  virtual void on_replay(const workflow_info&, int /*recorded_steps*/) {}

  virtual void on_activity_start(const activity_info&) {}
  virtual void on_activity_complete(const activity_info&) {}
  /// Failed for good: no attempt follows.
  virtual void on_activity_failed(const activity_info&, const std::string& /*reason*/) {}
  /// Attempt `activity.attempt` failed; the next one follows after `delay`.
  virtual void on_activity_retry(const activity_info&, const std::string& /*reason*/,
                                 std::chrono::milliseconds /*delay*/) {}

  /// A part of the app ("outbox_relayer") ended by an error and is started again; see also app::health().
  virtual void on_part_restarted(const std::string& /*part*/, const std::string& /*why*/) {}

  /// Committed to the outbox.
  virtual void on_event_sent(const event_info&) {}
  /// The broker answered 2xx and the row says `published`.
  virtual void on_event_delivered(const event_info&) {}
  /// `failed`: max_retries attempts were not enough.
  virtual void on_event_failed(const event_info&, const std::string& /*last_error*/) {}
  /// `invalid`: the broker answered 4xx.
  virtual void on_event_invalid(const event_info&, const std::string& /*last_error*/) {}
  /// `expired`: older than max_age_hours.
  virtual void on_event_expired(const event_info&) {}
};

} // namespace romancy
