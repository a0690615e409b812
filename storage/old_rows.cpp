#include "storage/old_rows.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "storage/rows_changed.hpp"
#include "storage/sql_text.hpp"
#include "storage/storage_failure.hpp"
#include "storage/timestamp.hpp"

namespace romancy {

namespace {

/// Rows of a table, and the name of an index of MySQL by which they are found: what it reads on the way it locks.
struct indexed_rows {
  std::string_view table;
  std::string_view index;
};

/// What a target is in the database. To add one, name it in retention_target, and give it a member of retention_options.
struct target_rows {
  retention_target target;
  std::string_view table;
  std::vector<std::string_view> key;
  std::string_view where;            ///< what may be removed at all
  std::string_view age;              ///< the column that says how old it is
  std::string_view found_by;         ///< another one, never later than that, where the index is on it; or the same
  std::string_view index;            ///< … which gives them the oldest first
  std::vector<indexed_rows> removed; ///< all that goes along, by the same key, and the row itself
};

const std::vector<target_rows>& all_rows() {
  const auto event = [](retention_target target, std::string_view where, std::string_view age) {
    return target_rows{target,
                       "outbox_events",
                       {"sequence"},
                       where,
                       age,
                       "created_at",
                       "idx_outbox_status_created",
                       {{"outbox_events", "PRIMARY"}}};
  };
  static const std::vector<target_rows> all{
      event(retention_target::delivered_events, "status = 'published'", "published_at"),
      event(retention_target::dead_events, "status = 'failed'", "created_at"),
      event(retention_target::dead_events, "status = 'invalid'", "created_at"),
      event(retention_target::dead_events, "status = 'expired'", "created_at"),
      {retention_target::finished_instances,
       "workflow_instances",
       {"instance_id"},
       "status IN ('completed', 'failed', 'cancelled') AND NOT EXISTS (SELECT 1 FROM outbox_events waiting WHERE "
       "waiting.instance_id = workflow_instances.instance_id AND waiting.status = 'pending') AND NOT EXISTS (SELECT 1 "
       "FROM "
       "workflow_instances parent WHERE parent.instance_id = workflow_instances.parent_id AND parent.status NOT IN "
       "('completed', 'failed', 'cancelled'))", // which is to read how it ended
       "finished_at",
       "finished_at",
       "idx_instances_finished",
       {{"workflow_history", "instance_id"},
        {"workflow_history_archive", "idx_archive_instance"},
        {"workflow_waits", "PRIMARY"},
        {"channel_subscriptions", "idx_subscriptions_instance"},
        {"channel_messages", "idx_messages_of_instance"},
        {"workflow_groups", "idx_groups_instance"},
        {"workflow_compensations", "idx_compensations_instance"},
        {"workflow_instances", "PRIMARY"}}},
      {retention_target::inbox,
       "inbox_events",
       {"event_source", "event_id"},
       "1 = 1",
       "received_at",
       "received_at",
       "idx_inbox_received",
       {{"inbox_events", "PRIMARY"}}},
      // For instances that have never been there, and for those that compete when there are none.
      {retention_target::inbox,
       "channel_messages",
       {"id"},
       "NOT EXISTS (SELECT 1 FROM workflow_instances WHERE workflow_instances.instance_id = "
       "channel_messages.instance_id) "
       "AND (channel_messages.instance_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM channel_subscriptions WHERE "
       "channel_subscriptions.channel = channel_messages.channel))",
       "published_at",
       "published_at",
       "idx_messages_published",
       {{"channel_messages", "PRIMARY"}}}};
  return all;
}

void add_table(sql_text& sql, const dialect& spoken, const indexed_rows& rows) {
  sql << rows.table;
  for (const char c : spoken.by_index) sql << (c == '#' ? rows.index : std::string_view{&c, 1});
}

void add_condition(sql_text& sql, const dialect& spoken, const target_rows& rows, time_point cutoff) {
  sql << " FROM ";
  add_table(sql, spoken, {rows.table, rows.index});
  (sql << " WHERE " << rows.where << " AND " << rows.age << " < ").bind(to_text(cutoff));
  if (rows.found_by != rows.age) (sql << " AND " << rows.found_by << " < ").bind(to_text(cutoff));
}

using row_key = std::vector<std::string>; ///< a value for each column

std::vector<row_key> keys(database& db, const target_rows& rows, time_point cutoff, int limit) {
  sql_text sql;
  for (const auto& column : rows.key) sql << (&column == &rows.key.front() ? "SELECT " : ", ") << column;
  add_condition(sql, db.dialect(), rows, cutoff);
  sql << " ORDER BY " << rows.found_by << " LIMIT " << std::to_string(limit) << db.dialect().skip_locked;
  row_key key(rows.key.size());
  std::vector<row_key> found;
  soci::statement select{db.session()};
  for (auto& value : key) select.exchange(soci::into(value));
  for (const auto& value : sql.values()) select.exchange(soci::use(value));
  select.alloc();
  select.prepare(sql.text());
  select.define_and_bind();
  for (bool more = select.execute(true); more; more = select.fetch()) found.push_back(key);
  return found;
}

using keys_of_a_statement = std::pair<std::vector<row_key>::const_iterator, std::vector<row_key>::const_iterator>;

void remove_keys(database& db, const indexed_rows& from, const target_rows& rows, keys_of_a_statement these) {
  const auto& spoken = db.dialect();
  sql_text sql;
  sql << "DELETE FROM ";
  if (!spoken.by_index.empty()) sql << from.table << " USING "; // else it takes no index
  add_table(sql, spoken, from);
  if (rows.key.size() == 1) {
    sql << " WHERE " << rows.key.front() << " IN (";
    for (auto key = these.first; key != these.second; ++key) (sql << (key == these.first ? "" : ", ")).bind(key->front());
  } else {
    std::string_view next = " WHERE (";
    for (auto key = these.first; key != these.second; ++key, next = ") OR (")
      for (std::size_t i = 0; i < rows.key.size(); ++i, next = " AND ")
        (sql << next << rows.key[i] << " = ").bind((*key)[i]);
  }
  sql << ")";
  soci::details::prepare_temp_type query = db.session().prepare << sql.text();
  for (const auto& value : sql.values()) query, soci::use(value);
  rows_changed(query);
}

void remove_keys(database& db, const target_rows& rows, const std::vector<row_key>& found) {
  // Where whatever is read is locked, one by one: to find several at once it may read the whole table.
  const std::ptrdiff_t at_once = db.dialect().by_index.empty() ? 100 : 1;
  for (const auto& from : rows.removed)
    for (auto key = found.begin(); key != found.end();) {
      const auto end = key + std::min(at_once, found.end() - key);
      remove_keys(db, from, rows, {key, end});
      key = end;
    }
}

} // namespace

int old_rows::remove(retention_target target, time_point cutoff, int limit) try {
  if (!db_.in_transaction()) // half of an instance could stay
    throw storage_failure{failure_kind::other,
                          "cannot remove old rows outside of a transaction: begin one, and commit it"};
  int removed = 0;
  for (const auto& rows : all_rows()) {
    if (rows.target != target || removed == limit) continue;
    const auto found = keys(db_, rows, cutoff, limit - removed);
    if (!found.empty()) remove_keys(db_, rows, found);
    removed += static_cast<int>(found.size());
  }
  return removed;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "remove old rows");
}

long long old_rows::count(retention_target target, time_point cutoff) try {
  long long all = 0;
  for (const auto& rows : all_rows()) {
    if (rows.target != target) continue;
    sql_text sql;
    sql << "SELECT count(*)";
    add_condition(sql, db_.dialect(), rows, cutoff);
    long long count = 0;
    soci::details::prepare_temp_type query = db_.session().prepare << sql.text();
    for (const auto& value : sql.values()) query, soci::use(value);
    soci::statement select = (query, soci::into(count));
    select.execute(true);
    all += count;
  }
  return all;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "count old rows");
}

} // namespace romancy
