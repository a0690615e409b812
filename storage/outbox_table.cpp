#include "storage/outbox_table.hpp"

#include <algorithm>

#include "storage/rows_changed.hpp"
#include "storage/storage_failure.hpp"
#include "storage/text_check.hpp"
#include "storage/timestamp.hpp"
#include "storage/where_clause.hpp"

namespace romancy {

namespace {

/// "3, 17, 18"
std::string sequences_of(const std::vector<event_record>& events) {
  std::string text;
  for (const auto& event : events) text += (text.empty() ? "" : ", ") + std::to_string(event.sequence);
  return text;
}

soci::indicator is(const std::string& text) { return text.empty() ? soci::i_null : soci::i_ok; }

} // namespace

outbox_table::outbox_table(database& db)
    : db_{db},
      insert_{(db.session().prepare
                   << "INSERT INTO outbox_events (event_id, event_type, event_source, event_data, content_type, "
                      "created_at, data_encoding, attributes, instance_id, activity_id, next_attempt_at) "
                      "VALUES (:id, :type, :source, :data, :content_type, :created, :encoding, :attributes, :instance, "
                      ":activity, :due)",
               soci::use(row_.id), soci::use(row_.type), soci::use(row_.source), soci::use(row_.data),
               soci::use(row_.content_type), soci::use(created_at_), soci::use(row_.data_encoding),
               soci::use(row_.attributes, attributes_is_), soci::use(row_.instance_id, instance_is_),
               soci::use(row_.activity_id, activity_is_), soci::use(created_at_))},
      claim_{(db.session().prepare
                  << "SELECT sequence, event_id, event_type, event_source, event_data, content_type, created_at, "
                     "data_encoding, attributes, instance_id, activity_id, retry_count, last_error FROM outbox_events" +
                         std::string{db.dialect().due_index} +
                         " WHERE status = 'pending' AND locked_by IS NULL AND next_attempt_at <= :now "
                         "ORDER BY next_attempt_at, sequence LIMIT :limit" +
                         std::string{db.dialect().skip_locked},
              soci::use(now_), soci::use(limit_), soci::into(row_.sequence), soci::into(row_.id), soci::into(row_.type),
              soci::into(row_.source), soci::into(row_.data), soci::into(row_.content_type), soci::into(created_at_),
              soci::into(row_.data_encoding), soci::into(row_.attributes, attributes_is_),
              soci::into(row_.instance_id, instance_is_), soci::into(row_.activity_id, activity_is_),
              soci::into(row_.retry_count), soci::into(row_.last_error, error_is_))},
      publish_{(
          db.session().prepare << "UPDATE outbox_events SET status = 'published', published_at = :now, locked_by = NULL, "
                                  "last_error = NULL WHERE event_id = :id AND locked_by = :epoch AND status = 'pending'",
          soci::use(now_), soci::use(row_.id), soci::use(epoch_))},
      close_{(
          db.session().prepare << "UPDATE outbox_events SET status = :status, last_error = coalesce(:error, last_error), "
                                  "retry_count = retry_count + :attempts, locked_by = NULL "
                                  "WHERE event_id = :id AND locked_by = :epoch AND status = 'pending'",
          soci::use(status_), soci::use(error_, error_is_), soci::use(attempts_), soci::use(row_.id), soci::use(epoch_))},
      retry_{
          (db.session().prepare << "UPDATE outbox_events SET last_error = :error, retry_count = retry_count + :attempts, "
                                   "next_attempt_at = :due, locked_by = NULL "
                                   "WHERE event_id = :id AND locked_by = :epoch AND status = 'pending'",
           soci::use(error_, error_is_), soci::use(attempts_), soci::use(now_), soci::use(row_.id), soci::use(epoch_))} {}

void outbox_table::insert(const event_record& event) try {
  check_text(db_, "write the outbox",
             {&event.id, &event.type, &event.source, &event.data, &event.content_type, &event.attributes,
              &event.instance_id, &event.activity_id});
  row_ = event;
  created_at_ = to_text(event.created_at);
  attributes_is_ = is(row_.attributes);
  instance_is_ = is(row_.instance_id);
  activity_is_ = is(row_.activity_id);
  insert_.execute(true);
} catch (const soci::soci_error& e) {
  const auto failure = storage_failure::from(e, "write the outbox");
  if (failure.kind() == failure_kind::unique_violation)
    throw storage_failure{failure.kind(), "the outbox already holds an event with the id '" + event.id +
                                              "': give each event an id of its own, or none"};
  throw failure;
}

std::vector<event_record> outbox_table::claim(const std::string& epoch, int limit, time_point now) try {
  require_transaction(db_);
  limit_ = limit;
  now_ = to_text(now);
  std::vector<event_record> events;
  for (bool more = claim_.execute(true); more; more = claim_.fetch()) {
    row_.unreadable.clear();
    try {
      row_.created_at = to_time_point(created_at_);
    } catch (const storage_error& e) { // written by hand: it must not block the others
      row_.unreadable = std::string{"created_at: "} + e.what();
    }
    if (error_is_ == soci::i_null) row_.last_error.clear();
    if (attributes_is_ == soci::i_null) row_.attributes.clear();
    if (instance_is_ == soci::i_null) row_.instance_id.clear();
    if (activity_is_ == soci::i_null) row_.activity_id.clear();
    events.push_back(row_);
  }
  if (events.empty()) return events;
  std::sort(events.begin(), events.end(), [](auto& a, auto& b) { return a.sequence < b.sequence; });
  db_.session() << "UPDATE outbox_events SET locked_by = :epoch WHERE sequence IN (" + sequences_of(events) + ')',
      soci::use(epoch);
  return events;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "claim events of the outbox");
}

bool outbox_table::mark(const std::string& epoch, const event_mark& mark, time_point now) try {
  check_text(db_, "mark an event of the outbox", {&mark.event_id, &mark.last_error});
  epoch_ = epoch;
  row_.id = mark.event_id;
  error_ = mark.last_error;
  error_is_ = is(error_);
  attempts_ = mark.attempted ? 1 : 0;
  auto& update = mark.status == outbox_status::published ? publish_
                 : mark.status == outbox_status::pending ? retry_
                                                         : close_;
  now_ = to_text(mark.status == outbox_status::pending ? mark.next_attempt_at : now);
  status_ = std::string{to_string(mark.status)};
  update.execute(true);
  return update.get_affected_rows() == 1;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "mark an event of the outbox");
}

void outbox_table::release(const std::string& epoch) try {
  db_.session() << "UPDATE outbox_events SET locked_by = NULL WHERE locked_by = :epoch", soci::use(epoch);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "release events of the outbox");
}

void outbox_table::release(const std::string& epoch, const std::vector<event_record>& claimed) try {
  if (claimed.empty()) return;
  db_.session() << "UPDATE outbox_events SET locked_by = NULL WHERE locked_by = :epoch AND sequence IN (" +
                       sequences_of(claimed) + ')',
      soci::use(epoch);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "release events of the outbox");
}

int outbox_table::redrive(const std::string& event_id, const std::string& event_type, const std::string& status,
                          time_point now) try {
  const auto due = to_text(now);
  where_clause where;
  where.add("event_id", event_id);
  where.add("event_type", event_type);
  where.add("status", status);
  const std::string dead = "status IN ('failed', 'invalid', 'expired')";
  soci::details::prepare_temp_type query =
      db_.session().prepare << "UPDATE outbox_events SET status = 'pending', retry_count = 0, next_attempt_at = :due" +
                                   where.text() + (where.text().empty() ? " WHERE " : " AND ") + dead;
  query, soci::use(due);
  for (const auto& value : where.values()) query, soci::use(value);
  return static_cast<int>(rows_changed(query));
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "redrive events");
}

} // namespace romancy
