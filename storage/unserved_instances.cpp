#include "storage/unserved_instances.hpp"

#include <string_view>

#include "storage/sql_text.hpp"
#include "storage/storage_failure.hpp"
#include "storage/timestamp.hpp"

namespace romancy {

namespace {

constexpr auto is_due = " AND owner_epoch IS NULL AND wake_at <= ";

void bind_all(soci::statement& statement, const sql_text& sql) {
  for (const auto& value : sql.values()) statement.exchange(soci::use(value));
  statement.alloc();
  statement.prepare(sql.text());
  statement.define_and_bind();
}

} // namespace

std::vector<std::string> unserved_instances::workflows(time_point now) try {
  sql_text sql;
  for (const auto& unfinished : db_.dialect().unfinished)
    if (!unfinished.empty())
      (sql << "SELECT workflow_name FROM workflow_instances" << db_.dialect().unfinished_index << " WHERE " << unfinished
           << is_due)
              .bind(to_text(now))
          << " UNION ";
  sql << "SELECT workflow_name FROM workflow_instances WHERE unserved_since IS NOT NULL";
  std::string name;
  std::vector<std::string> found;
  soci::statement select{db_.session()};
  select.exchange(soci::into(name));
  bind_all(select, sql);
  for (bool more = select.execute(true); more; more = select.fetch()) found.push_back(name);
  return found;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "look for instances that no app serves");
}

std::vector<unserved_instances::marked_instance> unserved_instances::due(const std::string& workflow, time_point now,
                                                                         time_point seen_before, int limit) {
  std::vector<marked_instance> found;
  for (const auto& unfinished : db_.dialect().unfinished) {
    const int left = limit - static_cast<int>(found.size());
    if (unfinished.empty() || left <= 0) continue;
    sql_text sql;
    (sql << "SELECT instance_id, CASE WHEN unserved_since IS NULL THEN 0 ELSE 1 END FROM workflow_instances"
         << db_.dialect().unfinished_index << " WHERE " << unfinished << is_due)
        .bind(to_text(now));
    (sql << " AND workflow_name = ").bind(workflow);
    (sql << " AND (unserved_since IS NULL OR unserved_since <= ").bind(to_text(seen_before));
    sql << ") LIMIT " << std::to_string(left) << db_.dialect().skip_locked;
    std::string id;
    int marked = 0;
    soci::statement select{db_.session()};
    select.exchange(soci::into(id));
    select.exchange(soci::into(marked));
    bind_all(select, sql);
    for (bool more = select.execute(true); more; more = select.fetch()) found.push_back({id, marked != 0});
  }
  return found;
}

unserved_workflow unserved_instances::leave(const std::string& workflow, time_point now, std::chrono::milliseconds grace,
                                            int limit) try {
  require_transaction(db_);
  unserved_workflow left{workflow};
  left.reason = "no running app serves the workflow '" + workflow + "': start one that does, it then goes on by itself";
  const auto found = due(workflow, now, now - grace, limit);
  left.more = static_cast<int>(found.size()) == limit;
  const auto at = to_text(now);
  std::string id;
  soci::statement mark =
      (db_.session().prepare << "UPDATE workflow_instances SET unserved_since = :now WHERE instance_id = :id",
       soci::use(at), soci::use(id));
  // MySQL assigns from left to right: status comes last.
  soci::statement park =
      (db_.session().prepare << "UPDATE workflow_instances SET parked_from = status, park_reason = :reason, "
                                "finished_at = :now, status = 'parked' WHERE instance_id = :id",
       soci::use(left.reason), soci::use(at), soci::use(id));
  for (const auto& instance : found) {
    id = instance.id;
    (instance.for_long ? park : mark).execute(true);
    if (instance.for_long)
      left.parked.push_back(id);
    else
      ++left.marked;
  }
  return left;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "park instances that no app serves");
}

int unserved_instances::let_go_on(const std::vector<std::string>& workflows, int limit) try {
  require_transaction(db_);
  if (workflows.empty()) return 0;
  sql_text sql;
  sql << "SELECT instance_id FROM workflow_instances";
  for (const char c : db_.dialect().by_index) sql << (c == '#' ? "idx_instances_unserved" : std::string_view{&c, 1});
  sql << " WHERE unserved_since IS NOT NULL AND workflow_name IN (";
  for (const auto& name : workflows) (sql << (&name == &workflows.front() ? "" : ", ")).bind(name);
  sql << ") LIMIT " << std::to_string(limit) << db_.dialect().skip_locked;
  std::string id;
  std::vector<std::string> found;
  {
    soci::statement select{db_.session()};
    select.exchange(soci::into(id));
    bind_all(select, sql);
    for (bool more = select.execute(true); more; more = select.fetch()) found.push_back(id);
  }
  soci::statement update =
      (db_.session().prepare
           << "UPDATE workflow_instances SET status = CASE WHEN status = 'parked' THEN coalesce(parked_from, 'running') "
              "ELSE status END, parked_from = NULL, park_reason = NULL, finished_at = NULL, unserved_since = NULL "
              "WHERE instance_id = :id",
       soci::use(id));
  for (const auto& instance : found) {
    id = instance;
    update.execute(true);
  }
  return static_cast<int>(found.size());
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "let instances go on that are served again");
}

} // namespace romancy
