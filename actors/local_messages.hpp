/// Messages that never leave the process: they carry leases, functions and pointers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <romancy/detail/ports.hpp>

#include "actors/attempt_control.hpp"
#include "actors/session_lease.hpp"
#include "messages/coordinator_requests.hpp"
#include "messages/instance_record.hpp"
#include "messages/step_record.hpp"
#include "messages/time_point.hpp"

namespace romancy {

using commit_actions = std::vector<std::function<void()>>;

/// What is said of an attempt whose SQL has ended the transaction.
inline constexpr auto transaction_vanished =
    "its SQL rolled the whole transaction back (INSERT OR ROLLBACK, RAISE(ROLLBACK) in a trigger, or a deadlock whose "
    "error "
    "it caught): let the error leave the activity, and use ctx.transaction to undo a part";

/// Why an attempt failed.
enum class attempt_fault {
  own,         ///< its code threw: it counts, and is tried again by its policy
  terminal,    ///< the same would happen each time
  lost,        ///< no fault of its own: it is run again without counting
  in_doubt,    ///< whether it was committed is not known: history says
  undecodable, ///< today's types cannot read its stored inputs; it did not run
};

// -- executor → coordinator -----------------------------------------------------------------------------------------

struct acquire_session {
  std::shared_ptr<session_request> request;
};
/// The sender is the instance; it is answered by attempt_committed, attempt_failed or request_failed.
struct commit_attempt {
  std::uint64_t ticket = 0;
  step_record step;
  lease_ptr lease; ///< null: the attempt wrote no rows of its own
  commit_actions actions;
};
/// The attempt failed: undo its rows. The sender is told by attempt_failed once they are undone.
struct discard_attempt {
  std::uint64_t ticket = 0;
  lease_ptr lease;
  std::string message;
  attempt_fault fault = attempt_fault::own;
  std::optional<std::chrono::milliseconds> retry_after{};
};
struct lease_dropped {};
/// From a coordinator of the pool: it can lend again.
struct session_free {};
struct run_actions {
  commit_actions actions;
};

inline constexpr auto foreign_keys_owed =
    "FOREIGN KEY constraint failed: rows it wrote refer to rows that are not there (deferred foreign keys are checked "
    "when "
    "the attempt commits)";

// -- instance → executors -------------------------------------------------------------------------------------------

enum class attempt_kind { activity, transaction, compensation };

struct execute_attempt {
  std::uint64_t ticket = 0;
  attempt_kind kind = attempt_kind::activity;
  std::string instance_id;
  std::int64_t fence = 0;
  std::string activity_id; ///< "charge_card:1"
  int position = 0;
  int number = 1; ///< of the attempt
  const detail::activity_entry* entry = nullptr;
  int run = 1;                                ///< of the instance
  bool has_waited = false;                    ///< there is a wait_record of it
  std::string input;                          ///< JSON text; for a compensation: inputs and output
  detail::inline_body body = nullptr;         ///< attempt_kind::transaction
  void* closure = nullptr;                    ///< lives in …
  std::shared_ptr<void> frame;                ///< … the coroutine, which therefore stays until the body has returned
  std::int64_t compensation_id = 0;           ///< attempt_kind::compensation
  time_point first_began{};                   ///< the first of these attempts
  std::vector<std::string> errors{};          ///< of failed attempts before it: see keep_error
  std::shared_ptr<attempt_control> control{}; ///< from the pool
};
/// To be forgotten if it has not begun; then it is answered as lost. Else it is asked to stop.
struct withdraw_attempt {
  std::uint64_t ticket = 0;
  stop_cause why = stop_cause::left;
};
/// Its rows are undone.
struct attempt_failed {
  std::uint64_t ticket = 0;
  std::string message;
  attempt_fault fault = attempt_fault::own;
  std::optional<std::chrono::milliseconds> retry_after{}; ///< instead of the delay of its policy
};
struct attempt_committed {
  std::uint64_t ticket = 0;
  history_record history;
};
struct executor_idle {};
/// The attempt of an executor has waited, and its deadline with it.
struct deadline_moved {};

// -- time -----------------------------------------------------------------------------------------------------------

struct set_timer {
  std::uint64_t ticket = 0;
  std::chrono::microseconds after{}; ///< steady: the wall clock may be set meanwhile
};
struct timer_fired {
  std::uint64_t ticket = 0;
};

// -- dispatcher -----------------------------------------------------------------------------------------------------

/// Where a thread of the service waits for what became of its request.
template <class Answer> class answer_slot;
using start_slot = answer_slot<instance_started>;
struct start_request {
  std::shared_ptr<start_slot> slot;
  instance_record instance;
};
using cancel_slot = answer_slot<instance_cancelled>;
struct cancel_instance_request {
  std::shared_ptr<cancel_slot> slot;
  cancel_request request;
};
using fork_slot = answer_slot<instance_forked>;
struct fork_instance_request {
  std::shared_ptr<fork_slot> slot;
  fork_request fork;
};
using receive_slot = answer_slot<events_received>;
struct receive_request {
  std::shared_ptr<receive_slot> slot;
  std::vector<incoming_event> events;
};
/// From an instance that leaves memory: nobody owns it until then.
struct instance_rests {
  std::optional<time_point> due;
};
/// To an instance that waits for something: it may be there.
struct instance_news {};
/// Work that nobody owns may be there.
struct look_for_instances {};
/// An instance that had failed to go on has committed a step.
struct instance_goes_on {
  std::string instance_id;
};

// -- relayer --------------------------------------------------------------------------------------------------------

struct publish_events {
  std::vector<event_record> events;
};
struct event_answered {
  std::string event_id;
  int status = 0;    ///< of HTTP; 0: no answer
  std::string error; ///< why there was none, or what the answer said
};
/// Call it once nothing is due and nothing is on the wire.
struct report_idle {
  std::function<void()> idle;
};

// -- supervisor -----------------------------------------------------------------------------------------------------

/// Finish what is under way and end.
struct drain {};
struct fire_hook {
  std::function<void(lifecycle_hooks&)> call;
};

} // namespace romancy
