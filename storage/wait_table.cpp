#include "storage/wait_table.hpp"

#include "storage/storage_failure.hpp"
#include "storage/text_check.hpp"
#include "storage/timestamp.hpp"

namespace romancy {

void wait_table::put(const std::string& instance_id, const wait_record& wait) try {
  check_text(db_, "write what " + instance_id + " waits for", {&instance_id, &wait.activity_id, &wait.data});
  remove(instance_id, wait.activity_id);
  const std::string kind{to_string(wait.kind)}, due = wait.due ? to_text(*wait.due) : "";
  auto due_is = wait.due ? soci::i_ok : soci::i_null;
  auto data_is = wait.data.empty() ? soci::i_null : soci::i_ok;
  static const std::vector<std::string> none{""};
  for (const auto& channel : wait.channels.empty() ? none : wait.channels) {
    check_text(db_, "write what " + instance_id + " waits for", {&channel});
    db_.session() << "INSERT INTO workflow_waits (instance_id, activity_id, channel, position, kind, due_at, data) "
                     "VALUES (:instance, :activity, :channel, :position, :kind, :due, :data)",
        soci::use(instance_id), soci::use(wait.activity_id), soci::use(channel), soci::use(wait.position),
        soci::use(kind), soci::use(due, due_is), soci::use(wait.data, data_is);
  }
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "write what " + instance_id + " waits for");
}

std::vector<wait_record> wait_table::load(const std::string& instance_id) try {
  std::string activity, channel, kind, due, data;
  int position = 0;
  soci::indicator due_is, data_is;
  soci::statement select =
      (db_.session().prepare << "SELECT activity_id, channel, position, kind, due_at, data FROM workflow_waits "
                                "WHERE instance_id = :id ORDER BY position, activity_id, channel",
       soci::use(instance_id), soci::into(activity), soci::into(channel), soci::into(position), soci::into(kind),
       soci::into(due, due_is), soci::into(data, data_is));
  std::vector<wait_record> found;
  for (bool more = select.execute(true); more; more = select.fetch()) {
    if (found.empty() || found.back().activity_id != activity) {
      const auto known = to_wait_kind(kind);
      if (!known)
        throw storage_failure{failure_kind::other, activity + " of " + instance_id + " waits for '" + kind +
                                                       "', which this program does not know: run a newer version"};
      found.push_back({activity, position, *known, {}, {}, data_is == soci::i_ok ? data : ""});
      if (due_is == soci::i_ok) found.back().due = to_time_point(due);
    }
    if (!channel.empty()) found.back().channels.push_back(channel);
  }
  return found;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read what " + instance_id + " waits for");
}

bool wait_table::has(const std::string& instance_id, const std::string& activity_id, const std::string& channel) try {
  int there = 0;
  db_.session() << "SELECT 1 FROM workflow_waits WHERE instance_id = :instance AND activity_id = :activity AND "
                   "channel = :channel",
      soci::use(instance_id), soci::use(activity_id), soci::use(channel), soci::into(there);
  return db_.session().got_data();
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read what " + instance_id + " waits for");
}

void wait_table::remove(const std::string& instance_id, const std::string& activity_id) try {
  db_.session() << "DELETE FROM workflow_waits WHERE instance_id = :instance AND activity_id = :activity",
      soci::use(instance_id), soci::use(activity_id);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "end a wait of " + instance_id);
}

void wait_table::remove_all(const std::string& instance_id) try {
  db_.session() << "DELETE FROM workflow_waits WHERE instance_id = :instance", soci::use(instance_id);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "end the waits of " + instance_id);
}

} // namespace romancy
