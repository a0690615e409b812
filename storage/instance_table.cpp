#include "storage/instance_table.hpp"

#include <algorithm>

#include "storage/rows_changed.hpp"
#include "storage/storage_failure.hpp"
#include "storage/text_check.hpp"
#include "storage/timestamp.hpp"
#include "storage/wake_time.hpp"
#include "storage/where_clause.hpp"

namespace romancy {

namespace {
soci::indicator is(const std::string& text) { return text.empty() ? soci::i_null : soci::i_ok; }

using wake_time::at_once, wake_time::never;

/// As signed as the database has it.
std::optional<std::uint64_t> seed_of(long long stored, soci::indicator is) {
  if (is == soci::i_null) return std::nullopt;
  return static_cast<std::uint64_t>(stored);
}

/// Of definitions: a-z, 0-9, '_' and '.' only.
std::string quoted(const std::vector<std::string>& workflows) {
  std::string names;
  for (const auto& name : workflows) names += (names.empty() ? "'" : ", '") + name + '\'';
  return names;
}
} // namespace

instance_table::instance_table(database& db)
    : db_{db}, insert_{(
                   db.session().prepare
                       << "INSERT INTO workflow_instances (instance_id, workflow_name, input_data, owner_epoch, "
                          "fence, started_at, wake_at, parent_id, deadline_at) VALUES (:id, :workflow, :input, :epoch, "
                          ":fence, :now, :wake, :parent, :deadline)" +
                              std::string{db.dialect().if_absent_instance},
                   soci::use(row_.instance_id), soci::use(row_.workflow), soci::use(row_.input),
                   soci::use(epoch_, epoch_is_), soci::use(row_.fence), soci::use(now_), soci::use(wake_at_),
                   soci::use(row_.parent_id, parent_is_), soci::use(deadline_, deadline_is_))},
      find_{
          (db.session().prepare << "SELECT workflow_name, status, input_data, output_data, coalesce(park_reason, "
                                   "error), fence, cancel_reason, owner_epoch, run, started_at, parent_id, deadline_at, "
                                   "coalesce(start_input, input_data), coalesce(run_started_at, started_at), random_seed "
                                   "FROM workflow_instances WHERE instance_id = :id",
           soci::use(row_.instance_id), soci::into(row_.workflow), soci::into(status_), soci::into(row_.input),
           soci::into(row_.output, output_is_), soci::into(row_.error, error_is_), soci::into(row_.fence),
           soci::into(row_.cancel_reason, cancel_is_), soci::into(row_.owner_epoch, owner_is_), soci::into(row_.run),
           soci::into(now_), soci::into(row_.parent_id, parent_is_), soci::into(deadline_, deadline_is_),
           soci::into(row_.start_input), soci::into(wake_at_), soci::into(seed_, seed_is_))},
      finish_{(db.session().prepare << "UPDATE workflow_instances SET status = :status, output_data = :output, "
                                       "error = coalesce(:error, error), owner_epoch = NULL, finished_at = :now "
                                       "WHERE instance_id = :id AND owner_epoch = :epoch AND fence = :fence",
               soci::use(status_), soci::use(row_.output, output_is_), soci::use(row_.error, error_is_), soci::use(now_),
               soci::use(row_.instance_id), soci::use(epoch_), soci::use(row_.fence))} {}

bool instance_table::insert(const instance_record& instance, const std::string& epoch, time_point now) try {
  check_text(db_, "start an instance", {&instance.instance_id, &instance.workflow, &instance.input});
  row_ = instance;
  epoch_ = epoch;
  epoch_is_ = is(epoch);
  row_.fence = epoch.empty() ? 0 : 1;
  now_ = to_text(now);
  wake_at_ = epoch.empty() ? at_once : never;
  parent_is_ = is(row_.parent_id);
  deadline_ = row_.deadline ? to_text(*row_.deadline) : "";
  deadline_is_ = is(deadline_);
  insert_.execute(true);
  return insert_.get_affected_rows() == 1;
} catch (const soci::soci_error& e) {
  const auto failure = storage_failure::from(e, "start an instance");
  if (failure.kind() == failure_kind::unique_violation) return false; // MySQL says so by an error
  throw failure;
}

std::optional<instance_record> instance_table::find(const std::string& instance_id) try {
  row_.instance_id = instance_id;
  std::optional<instance_record> found;
  for (bool more = find_.execute(true); more; more = find_.fetch()) {
    row_.status = to_instance_status(status_).value_or(instance_status::parked);
    if (output_is_ == soci::i_null) row_.output.clear();
    if (error_is_ == soci::i_null) row_.error.clear();
    if (cancel_is_ == soci::i_null) row_.cancel_reason.clear();
    if (owner_is_ == soci::i_null) row_.owner_epoch.clear();
    if (parent_is_ == soci::i_null) row_.parent_id.clear();
    row_.started_at = to_time_point(now_);
    row_.run_started_at = to_time_point(wake_at_);
    row_.deadline.reset();
    if (deadline_is_ == soci::i_ok) row_.deadline = to_time_point(deadline_);
    row_.seed = seed_of(seed_, seed_is_);
    found = row_;
  }
  return found;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read instance " + instance_id);
}

std::vector<instance_record> instance_table::claim(const std::string& epoch, const std::vector<std::string>& workflows,
                                                   int limit, time_point now) try {
  require_transaction(db_);
  const auto names = quoted(workflows), at = to_text(now);
  instance_record row;
  std::string status, started, deadline, run_started;
  long long seed = 0;
  soci::indicator error_is, cancel_is, parent_is, deadline_is, seed_is;
  std::vector<instance_record> claimed;
  for (const auto& unfinished : db_.dialect().unfinished) {
    const int left = limit - static_cast<int>(claimed.size());
    if (unfinished.empty() || left <= 0) continue;
    soci::statement due =
        (db_.session().prepare
             << "SELECT instance_id, workflow_name, status, input_data, error, fence, cancel_reason, run, "
                "started_at, parent_id, deadline_at, coalesce(run_started_at, started_at), random_seed FROM "
                "workflow_instances" +
                    std::string{db_.dialect().unfinished_index} + " WHERE " + std::string{unfinished} +
                    " AND owner_epoch IS NULL AND wake_at <= :now AND workflow_name IN (" + names +
                    ") ORDER BY wake_at, started_at LIMIT :limit" + std::string{db_.dialect().skip_locked},
         soci::use(at), soci::use(left), soci::into(row.instance_id), soci::into(row.workflow), soci::into(status),
         soci::into(row.input), soci::into(row.error, error_is), soci::into(row.fence),
         soci::into(row.cancel_reason, cancel_is), soci::into(row.run), soci::into(started),
         soci::into(row.parent_id, parent_is), soci::into(deadline, deadline_is), soci::into(run_started),
         soci::into(seed, seed_is));
    for (bool more = due.execute(true); more; more = due.fetch()) {
      row.status = to_instance_status(status).value_or(instance_status::running);
      if (error_is == soci::i_null) row.error.clear();
      if (cancel_is == soci::i_null) row.cancel_reason.clear();
      if (parent_is == soci::i_null) row.parent_id.clear();
      row.started_at = to_time_point(started);
      row.run_started_at = to_time_point(run_started);
      row.deadline.reset();
      if (deadline_is == soci::i_ok) row.deadline = to_time_point(deadline);
      row.seed = seed_of(seed, seed_is);
      claimed.push_back(row);
    }
  }
  if (claimed.empty()) return claimed;
  std::string id;
  soci::statement take =
      (db_.session().prepare
           << "UPDATE workflow_instances SET owner_epoch = :epoch, fence = fence + 1, wake_at = :never, "
              "unserved_since = NULL "
              "WHERE instance_id = :id",
       soci::use(epoch), soci::use(never), soci::use(id));
  for (auto& instance : claimed) {
    id = instance.instance_id;
    take.execute(true);
    ++instance.fence;
  }
  return claimed;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "claim instances");
}

std::optional<time_point> instance_table::next_due(const std::vector<std::string>& workflows) try {
  std::optional<time_point> next;
  for (const auto& unfinished : db_.dialect().unfinished) {
    if (unfinished.empty()) continue;
    std::string at;
    db_.session() << "SELECT wake_at FROM workflow_instances" + std::string{db_.dialect().unfinished_index} + " WHERE " +
                         std::string{unfinished} +
                         " AND owner_epoch IS NULL AND wake_at < :never AND workflow_name IN (" + quoted(workflows) +
                         ") ORDER BY wake_at, started_at LIMIT 1",
        soci::use(never), soci::into(at);
    if (!db_.session().got_data()) continue;
    const auto due = to_time_point(at);
    next = next ? std::min(*next, due) : due;
  }
  return next;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "look when instances are due");
}

bool instance_table::hold(const std::string& instance_id, const std::string& epoch, std::int64_t fence) try {
  int ours = 0;
  db_.session()
      << "SELECT 1 FROM workflow_instances WHERE instance_id = :id AND owner_epoch = :epoch AND fence = :fence" +
             std::string{db_.dialect().keep_locked},
      soci::use(instance_id), soci::use(epoch), soci::use(fence), soci::into(ours);
  return db_.session().got_data();
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "look at instance " + instance_id);
}

void instance_table::rest(const std::string& instance_id, const std::optional<time_point>& due) try {
  const auto at = due ? to_text(*due) : never;
  db_.session() << "UPDATE workflow_instances SET owner_epoch = NULL, wake_at = :due WHERE instance_id = :id",
      soci::use(at), soci::use(instance_id);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "let instance " + instance_id + " wait");
}

void instance_table::stay(const std::string& instance_id) try {
  db_.session() << "UPDATE workflow_instances SET wake_at = :never WHERE instance_id = :id", soci::use(never),
      soci::use(instance_id);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "let instance " + instance_id + " wait");
}

void instance_table::wake(const std::string& instance_id) try {
  db_.session() << "UPDATE workflow_instances SET wake_at = :now WHERE instance_id = :id", soci::use(at_once),
      soci::use(instance_id);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "wake instance " + instance_id);
}

bool instance_table::continue_as_new(const std::string& instance_id, const std::string& epoch, std::int64_t fence,
                                     int run, const std::string& input, time_point now) try {
  check_text(db_, "continue instance " + instance_id + " as new", {&instance_id, &input});
  const int next = run + 1;
  const auto at = to_text(now);
  if (rows_changed((db_.session().prepare
                        << "UPDATE workflow_instances SET start_input = coalesce(start_input, input_data), "
                           "input_data = :input, run = :next, run_started_at = :now, random_seed = NULL "
                           "WHERE instance_id = :id AND owner_epoch = :epoch AND fence = :fence AND "
                           "status = 'running' AND run = :run",
                    soci::use(input), soci::use(next), soci::use(at), soci::use(instance_id), soci::use(epoch),
                    soci::use(fence), soci::use(run))) != 1) {
    const auto stored = find(instance_id); // a commit whose outcome was unknown may have done it
    return stored && stored->owner_epoch == epoch && stored->fence == fence && stored->run == next;
  }
  db_.session()
      << "INSERT INTO workflow_history_archive (instance_id, run, activity_id, position, event_type, event_data, "
         "attempts, created_at, archived_at) SELECT instance_id, :run, activity_id, position, event_type, "
         "event_data, attempts, created_at, :now FROM workflow_history WHERE instance_id = :id ORDER BY id",
      soci::use(run), soci::use(at), soci::use(instance_id);
  db_.session() << "DELETE FROM workflow_history WHERE instance_id = :id", soci::use(instance_id);
  db_.session() << "DELETE FROM workflow_compensations WHERE instance_id = :id", soci::use(instance_id);
  db_.session() << "DELETE FROM workflow_waits WHERE instance_id = :id", soci::use(instance_id);
  return true;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "continue instance " + instance_id + " as new");
}

std::vector<std::string> instance_table::unfinished_children(const std::string& parent_id) try {
  std::string id;
  std::vector<std::string> found;
  soci::statement select =
      (db_.session().prepare << "SELECT instance_id FROM workflow_instances WHERE parent_id = :id AND "
                                "status IN ('running', 'compensating', 'parked')",
       soci::use(parent_id), soci::into(id));
  for (bool more = select.execute(true); more; more = select.fetch()) found.push_back(id);
  return found;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read the children of " + parent_id);
}

bool instance_table::begin_compensation(const std::string& instance_id, const std::string& epoch, std::int64_t fence,
                                        const std::string& error) try {
  check_text(db_, "begin to compensate an instance", {&instance_id, &error});
  if (rows_changed((db_.session().prepare << "UPDATE workflow_instances SET status = 'compensating', error = :error "
                                             "WHERE instance_id = :id AND owner_epoch = :epoch AND fence = :fence AND "
                                             "status = 'running'",
                    soci::use(error), soci::use(instance_id), soci::use(epoch), soci::use(fence))) == 1)
    return true;
  const auto stored = find(instance_id); // a commit whose outcome was unknown may have done it
  return stored && stored->status == instance_status::compensating && stored->owner_epoch == epoch &&
         stored->fence == fence;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "begin to compensate an instance");
}

bool instance_table::finish(const instance_record& finished, const std::string& epoch, time_point now) try {
  check_text(db_, "finish an instance", {&finished.instance_id, &finished.output, &finished.error});
  row_ = finished;
  epoch_ = epoch;
  now_ = to_text(now);
  status_ = std::string{to_string(finished.status)};
  output_is_ = is(row_.output);
  error_is_ = is(row_.error);
  if (finished.status == instance_status::parked) {
    // MySQL assigns from left to right: status comes last.
    if (rows_changed((db_.session().prepare
                          << "UPDATE workflow_instances SET parked_from = status, status = 'parked', park_reason = "
                             ":reason, owner_epoch = NULL, finished_at = :now WHERE instance_id = :id AND "
                             "owner_epoch = :epoch AND fence = :fence",
                      soci::use(row_.error), soci::use(now_), soci::use(row_.instance_id), soci::use(epoch_),
                      soci::use(row_.fence))) == 1)
      return true;
  } else {
    finish_.execute(true);
    if (finish_.get_affected_rows() == 1) return true;
  }
  const auto stored = find(finished.instance_id); // a commit whose outcome was unknown may have done it
  return stored && stored->status == finished.status && stored->owner_epoch.empty() && stored->fence == finished.fence;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "finish an instance");
}

bool instance_table::request_cancel(const cancel_request& request) try {
  check_text(db_, "cancel an instance", {&request.instance_id, &request.reason, &request.author});
  auto author_is = is(request.author);
  if (rows_changed(
          (db_.session().prepare
               << "UPDATE workflow_instances SET cancel_reason = :reason, cancelled_by = :author, wake_at = :at_once "
                  "WHERE instance_id = :id AND status = 'running' AND cancel_reason IS NULL",
           soci::use(request.reason), soci::use(request.author, author_is), soci::use(at_once),
           soci::use(request.instance_id))) > 0)
    return true;
  // Nobody runs a parked one: whoever claims it next undoes it. Unless that is what it was doing, for its own failure.
  if (rows_changed(
          (db_.session().prepare
               << "UPDATE workflow_instances SET cancelled_by = CASE WHEN cancel_reason IS NULL THEN :author ELSE "
                  "cancelled_by END, cancel_reason = coalesce(cancel_reason, :reason), "
                  "status = 'compensating', park_reason = NULL, parked_from = NULL, finished_at = NULL, "
                  "unserved_since = NULL, wake_at = :at_once WHERE instance_id = :id AND status = 'parked' AND "
                  "(coalesce(parked_from, 'running') = 'running' OR cancel_reason IS NOT NULL)",
           soci::use(request.author, author_is), soci::use(request.reason), soci::use(at_once),
           soci::use(request.instance_id))) > 0)
    return true;
  const auto stored = find(request.instance_id);
  if (!stored) throw storage_failure{failure_kind::other, "there is no instance " + request.instance_id};
  return !stored->cancel_reason.empty() && (!is_settled(stored->status) || stored->status == instance_status::cancelled);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "cancel instance " + request.instance_id);
}

std::vector<cancel_request> instance_table::news(const std::string& epoch) try {
  cancel_request row;
  soci::indicator reason_is;
  std::vector<cancel_request> found;
  for (const auto& unfinished : db_.dialect().unfinished) {
    if (unfinished.empty()) continue;
    soci::statement select =
        (db_.session().prepare << "SELECT instance_id, cancel_reason FROM workflow_instances" +
                                      std::string{db_.dialect().unfinished_index} + " WHERE " + std::string{unfinished} +
                                      " AND owner_epoch = :epoch AND wake_at < :never" +
                                      std::string{db_.dialect().skip_locked},
         soci::use(epoch), soci::use(never), soci::into(row.instance_id), soci::into(row.reason, reason_is));
    for (bool more = select.execute(true); more; more = select.fetch()) {
      if (reason_is == soci::i_null) row.reason.clear();
      found.push_back(row);
    }
  }
  for (const auto& instance : found) stay(instance.instance_id);
  return found;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "look for what has happened to instances");
}

int instance_table::resume(const std::string& instance_id, const std::string& workflow) try {
  where_clause where;
  where.add("instance_id", instance_id);
  where.add("workflow_name", workflow);
  soci::details::prepare_temp_type query =
      db_.session().prepare
      << "UPDATE workflow_instances SET status = coalesce(parked_from, 'running'), parked_from = NULL, "
         "park_reason = NULL, finished_at = NULL, unserved_since = NULL, wake_at = :at_once" +
             where.text() + (where.text().empty() ? " WHERE " : " AND ") + "status = 'parked'";
  query, soci::use(at_once);
  for (const auto& value : where.values()) query, soci::use(value);
  return static_cast<int>(rows_changed(query));
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "resume instances");
}

void instance_table::release(const std::string& epoch, const std::string& instance_id) try {
  if (instance_id.empty())
    db_.session() << "UPDATE workflow_instances SET owner_epoch = NULL, wake_at = :at_once WHERE owner_epoch = :epoch",
        soci::use(at_once), soci::use(epoch);
  else
    db_.session() << "UPDATE workflow_instances SET owner_epoch = NULL, wake_at = :at_once WHERE instance_id = :id AND "
                     "owner_epoch = :epoch",
        soci::use(at_once), soci::use(instance_id), soci::use(epoch);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "release instances");
}

void instance_table::release(const std::string& epoch, const std::vector<instance_record>& claimed) try {
  for (const auto& instance : claimed)
    db_.session() << "UPDATE workflow_instances SET owner_epoch = NULL, wake_at = :at_once WHERE instance_id = :id AND "
                     "owner_epoch = :epoch AND fence = :fence",
        soci::use(at_once), soci::use(instance.instance_id), soci::use(epoch), soci::use(instance.fence);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "release instances");
}

std::vector<std::pair<std::string, long long>> instance_table::unfinished() try {
  std::vector<std::pair<std::string, long long>> found;
  std::string name;
  long long count = 0;
  soci::statement select = (db_.session().prepare << "SELECT workflow_name, count(*) FROM workflow_instances "
                                                     "WHERE status IN ('running', 'compensating') GROUP BY workflow_name",
                            soci::into(name), soci::into(count));
  for (bool more = select.execute(true); more; more = select.fetch()) found.emplace_back(name, count);
  return found;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "count unfinished instances");
}

} // namespace romancy
