#include "storage/instance_fork.hpp"

#include "storage/rows_changed.hpp"
#include "storage/storage_failure.hpp"
#include "storage/text_check.hpp"
#include "storage/timestamp.hpp"
#include "storage/wake_time.hpp"

namespace romancy {

namespace {

std::string see(const std::string& instance_id) { return ": see romancy workflow show " + instance_id; }

} // namespace

std::string instance_fork::make(const fork_request& wanted, time_point now) try {
  check_text(db_, "fork an instance", {&wanted.source, &wanted.from_step, &wanted.new_id});
  if (tables_.instances.find(wanted.new_id)) return compare(wanted);
  std::string there;
  db_.session() << "SELECT instance_id FROM workflow_instances WHERE instance_id = :id" +
                       std::string{db_.dialect().keep_locked},
      soci::use(wanted.source), soci::into(there);
  const auto source = db_.session().got_data() ? tables_.instances.find(wanted.source) : std::nullopt;
  if (!source)
    return "there is no instance " + wanted.source +
           ", or it has been removed since it finished: see romancy workflow list";
  if (!is_settled(source->status))
    return "instance " + wanted.source + " is " + std::string{to_string(source->status)} +
           ": cancel it, or wait until it has ended, and fork it then";
  const int position = position_of(wanted.source, wanted.from_step);
  if (position == 0)
    return "the history of instance " + wanted.source +
           (source->run > 1 ? ", run " + std::to_string(source->run) + ',' : "") + " has no step " + wanted.from_step +
           see(wanted.source);
  const bool subscribed = channel_changes(wanted.source, "position < :position", position) > 0;
  if (subscribed && source->status != instance_status::parked)
    return "instance " + wanted.source + " subscribed to channels or joined groups before " + wanted.from_step +
           ", which ended with it: fork it from that step, or from one before it" + see(wanted.source);
  if (subscribed && channel_changes(wanted.source, "position >= :position", position) > 0)
    return "instance " + wanted.source + " has changed its channels or groups before and after " + wanted.from_step +
           ", and what they were there is not recorded: fork it from the first of these steps, or from one before it" +
           see(wanted.source);
  if (!insert(wanted, *source, now)) return compare(wanted); // by another one, just now
  copy_history(wanted, position);
  if (subscribed) copy_subscriptions(wanted);
  return {};
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "fork instance " + wanted.source);
}

/// The id is taken: perhaps by the same request.
std::string instance_fork::compare(const fork_request& wanted) {
  std::string from, step;
  soci::indicator from_is, step_is;
  db_.session() << "SELECT forked_from, fork_step FROM workflow_instances WHERE instance_id = :id",
      soci::use(wanted.new_id), soci::into(from, from_is), soci::into(step, step_is);
  if (from_is == soci::i_ok && from == wanted.source && step_is == soci::i_ok && step == wanted.from_step) return {};
  return "instance " + wanted.new_id + " exists already, and is not a fork of " + wanted.source + " from " +
         wanted.from_step + ": choose another id";
}

int instance_fork::position_of(const std::string& instance_id, const std::string& step) {
  int position = 0;
  db_.session() << "SELECT position FROM workflow_history WHERE instance_id = :id AND activity_id = :step",
      soci::use(instance_id), soci::use(step), soci::into(position);
  return db_.session().got_data() ? position : 0;
}

/// How many steps have changed subscriptions and groups.
long long instance_fork::channel_changes(const std::string& instance_id, const char* condition, int position) {
  std::string step;
  long long changes = 0;
  soci::statement select = (db_.session().prepare << std::string{"SELECT activity_id FROM workflow_history WHERE "
                                                                 "instance_id = :id AND event_type = 'ChannelChanged' "
                                                                 "AND "} +
                                                         condition,
                            soci::use(instance_id), soci::use(position), soci::into(step));
  for (bool more = select.execute(true); more; more = select.fetch())
    if (!step.starts_with("@group_members:")) ++changes;
  return changes;
}

/// The fork draws the numbers and sees the times that its source did, but is another instance: what it sends, and what it
/// asks the world for, has ids of its own.
bool instance_fork::insert(const fork_request& wanted, const instance_record& source, time_point now) try {
  const auto at = to_text(now), run_started = to_text(source.run_started_at);
  const auto seed = static_cast<long long>(random_seed(source));
  return rows_changed((db_.session().prepare
                           << "INSERT INTO workflow_instances (instance_id, workflow_name, input_data, started_at, "
                              "run_started_at, wake_at, random_seed, forked_from, fork_step) VALUES (:id, :workflow, "
                              ":input, :now, :began, :wake, :seed, :source, :step)" +
                                  std::string{db_.dialect().if_absent_instance},
                       soci::use(wanted.new_id), soci::use(source.workflow), soci::use(source.input), soci::use(at),
                       soci::use(run_started), soci::use(wake_time::at_once), soci::use(seed), soci::use(wanted.source),
                       soci::use(wanted.from_step))) == 1;
} catch (const soci::soci_error& e) {
  const auto failure = storage_failure::from(e, "fork instance " + wanted.source);
  if (failure.kind() == failure_kind::unique_violation) return false; // MySQL says so by an error
  throw failure;
}

void instance_fork::copy_history(const fork_request& wanted, int position) {
  db_.session()
      << "INSERT INTO workflow_history (instance_id, activity_id, position, event_type, event_data, attempts, "
         "details, created_at) SELECT :id, activity_id, position, event_type, event_data, attempts, details, "
         "created_at FROM workflow_history WHERE instance_id = :source AND position > 0 AND position < :position "
         "ORDER BY id",
      soci::use(wanted.new_id), soci::use(wanted.source), soci::use(position);
}

void instance_fork::copy_subscriptions(const fork_request& wanted) {
  for (const auto* copy :
       {"INSERT INTO channel_subscriptions (channel, instance_id) SELECT channel, :id FROM channel_subscriptions WHERE "
        "instance_id = :source",
        "INSERT INTO workflow_groups (group_name, instance_id) SELECT group_name, :id FROM workflow_groups WHERE "
        "instance_id = :source"})
    db_.session() << copy, soci::use(wanted.new_id), soci::use(wanted.source);
}

} // namespace romancy
