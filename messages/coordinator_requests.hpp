/// What the transaction coordinator is asked, and what it answers once the answer is committed. Answers go to the sender,
/// with the request's ticket; a request that could not be carried out is answered by request_failed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/cancel_request.hpp"
#include "messages/compensation_record.hpp"
#include "messages/event_mark.hpp"
#include "messages/event_record.hpp"
#include "messages/fork_request.hpp"
#include "messages/history_record.hpp"
#include "messages/incoming_event.hpp"
#include "messages/instance_record.hpp"
#include "messages/retention_target.hpp"
#include "messages/step_record.hpp"
#include "messages/unserved_workflow.hpp"
#include "messages/wait_record.hpp"

namespace romancy {

struct request_failed {
  std::uint64_t ticket = 0;
  bool ownership_lost = false; ///< another process has taken the instance over: stop without a word
  std::string message;
};

// -- worker epochs --------------------------------------------------------------------------------------------------

struct renew_epoch {};
struct epoch_renewed {};
/// Gives back what epochs own whose process is gone; and, each minute at the most, parks instances that no running app
/// has served for app_options::unserved_grace, or lets them go on. Has no answer when the database is busy: ask again
/// later.
struct take_over {};
struct taken_over {
  int dead = 0;     ///< epochs
  int going_on = 0; ///< instances that are served again
  std::vector<unserved_workflow> unserved{};
};
struct release_epoch {};
struct epoch_released {};

// -- instances ------------------------------------------------------------------------------------------------------

struct start_instance {
  std::uint64_t ticket = 0;
  instance_record instance;
};
struct instance_started {
  std::uint64_t ticket = 0;
  bool created = false;
  instance_record instance; ///< as it is in the database: for the caller to compare when it existed
  bool ours = false;        ///< it existed, and belongs to this epoch
};
/// Gives back what this epoch owns. Commits of those who worked on it are refused once it is claimed again.
struct release_instances {
  std::uint64_t ticket = 0;
  std::string instance_id; ///< empty: all
};
struct instances_released {
  std::uint64_t ticket = 0;
};
struct claim_instances {
  std::vector<std::string> workflows;
  int limit = 0;
};
struct instances_claimed {
  std::vector<instance_record> instances;
  std::vector<cancel_request> news;   ///< those of this epoch to which something has happened; with a reason: cancel it
  std::optional<time_point> next_due; ///< when the next one can be claimed, if nothing happens before
};
/// The function can go no further by itself.
struct wait_for {
  std::uint64_t ticket = 0;
  std::string instance_id;
  std::int64_t fence = 0;
  std::vector<wait_record> waits;                  ///< of steps that are not done, in order of position
  std::vector<std::string> fresh;                  ///< those of them, by activity_id, that are not in the database yet
  std::map<std::string, instance_record> children; ///< that are to be started with them, by activity_id
  bool rests = false;                              ///< if nothing is there: nobody owns it, until something is
  std::optional<time_point> deadline;              ///< of the instance
  bool again = false; ///< it may have been carried out before, by a COMMIT whose outcome is unknown
};
struct waited {
  std::uint64_t ticket = 0;
  std::vector<history_record> outcomes; ///< of waits that have ended; a retry has none
  bool rests = false;
  std::string cancel_reason; ///< not empty: it is to be cancelled, and does not rest
};
struct cancel_instance {
  std::uint64_t ticket = 0;
  cancel_request request;
};
struct instance_cancelled {
  std::uint64_t ticket = 0;
  bool accepted = false;
  cancel_request request;
};
/// See instance_fork.
struct fork_instance {
  std::uint64_t ticket = 0;
  fork_request fork;
};
struct instance_forked {
  std::uint64_t ticket = 0;
  std::string refused{}; ///< not empty: there is none, and why
};
struct load_history {
  std::uint64_t ticket = 0;
  std::string instance_id;
};
struct history_loaded {
  std::uint64_t ticket = 0;
  std::vector<history_record> history; ///< in order of completion
  std::vector<wait_record> waits;      ///< what steps without an outcome were waiting for
};
/// The workflow function has failed: what is to be undone?
struct begin_compensation {
  std::uint64_t ticket = 0;
  std::string instance_id;
  std::int64_t fence = 0;
  std::string error; ///< empty: continue a compensation that was begun before
};
struct compensation_begun {
  std::uint64_t ticket = 0;
  bool rests = false;                         ///< children are to end first: nobody owns it until they have
  std::vector<compensation_record> remaining; ///< the last completed first
  std::string cancel_reason;                  ///< not empty: it was cancelled, and will end so
};
struct finish_instance {
  std::uint64_t ticket = 0;
  std::string instance_id;
  std::int64_t fence = 0;
  instance_status status = instance_status::completed;
  std::string output;
  std::string error;
  std::string parent_id;
  bool has_waited = false; ///< there may be waits and subscriptions of it, which end
};
struct instance_finished {
  std::uint64_t ticket = 0;
  std::string cancel_reason; ///< not empty: it is not parked, since it was cancelled meanwhile and is to be undone
};

/// Archives the run, and begins another one.
struct continue_as_new {
  std::uint64_t ticket = 0;
  std::string instance_id;
  std::int64_t fence = 0;
  int run = 0; ///< so far
  std::string input;
};
struct continued_as_new {
  std::uint64_t ticket = 0;
  time_point run_started_at{};
};
/// All of them or none; what was received before is not received again.
struct receive_events {
  std::uint64_t ticket = 0;
  std::vector<incoming_event> events;
};
struct events_received {
  std::uint64_t ticket = 0;
  int duplicates = 0;
  std::string refused{}; ///< not empty: none is received, and none would be the next time
};
/// Sent after a commit that left work to whoever asked by watch_instances.
struct instances_committed {};
struct watch_instances {};

// -- outbox ---------------------------------------------------------------------------------------------------------

struct claim_events {
  int limit = 0;
};
struct events_claimed {
  std::vector<event_record> events; ///< in order of sequence
};
struct mark_events {
  std::uint64_t ticket = 0;
  std::vector<event_mark> marks;
};
struct events_marked {
  std::uint64_t ticket = 0;
  std::vector<std::string> lost; ///< claims that were not ours any more
};
/// Gives back what this epoch has claimed and not marked.
struct release_events {
  std::uint64_t ticket = 0;
};
struct events_released {
  std::uint64_t ticket = 0;
};
/// Sent after a commit to those who asked by watch_outbox.
struct events_committed {};
struct watch_outbox {};

// -- retention ------------------------------------------------------------------------------------------------------

/// Removes what is older than `age`, by the database's clock where it has one: at most `limit` of it.
struct remove_old {
  retention_target target{};
  std::chrono::milliseconds age{};
  int limit = 0;
};
struct removed_old {
  int removed = 0;
};

} // namespace romancy
