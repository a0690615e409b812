#include "storage/history_table.hpp"

#include "storage/storage_failure.hpp"
#include "storage/text_check.hpp"
#include "storage/timestamp.hpp"

namespace romancy {

history_table::history_table(database& db)
    : db_{db},
      insert_{(
          db.session().prepare
              << "INSERT INTO workflow_history (instance_id, activity_id, position, event_type, event_data, attempts, "
                 "details, created_at) SELECT instance_id, :activity, :position, :type, :data, :attempts, :details, :now "
                 "FROM workflow_instances WHERE instance_id = :id AND owner_epoch = :epoch AND fence = :fence" +
                     std::string{db.dialect().keep_locked},
          soci::use(row_.activity_id), soci::use(row_.position), soci::use(row_.event_type), soci::use(row_.data),
          soci::use(row_.attempts), soci::use(row_.details, has_details_), soci::use(now_), soci::use(instance_id_),
          soci::use(epoch_), soci::use(fence_))} {}

bool history_table::insert(const std::string& instance_id, const history_record& record, const std::string& epoch,
                           std::int64_t fence, time_point now) try {
  check_text(db_, "write the history of " + instance_id, {&instance_id, &record.activity_id, &record.data});
  row_ = record;
  has_details_ = record.details.empty() ? soci::i_null : soci::i_ok;
  instance_id_ = instance_id;
  epoch_ = epoch;
  fence_ = fence;
  now_ = to_text(now);
  insert_.execute(true);
  return insert_.get_affected_rows() == 1;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "write the history of " + instance_id);
}

std::vector<history_table::dated> history_table::list(const std::string& instance_id) try {
  dated row;
  soci::indicator has_details = soci::i_null;
  soci::statement select =
      (db_.session().prepare << "SELECT activity_id, position, event_type, event_data, attempts, details, created_at "
                                "FROM workflow_history WHERE instance_id = :id ORDER BY id",
       soci::use(instance_id), soci::into(row.record.activity_id), soci::into(row.record.position),
       soci::into(row.record.event_type), soci::into(row.record.data), soci::into(row.record.attempts),
       soci::into(row.record.details, has_details), soci::into(row.created_at));
  std::vector<dated> history;
  for (bool more = select.execute(true); more; more = select.fetch()) {
    if (has_details != soci::i_ok) row.record.details.clear();
    history.push_back(row);
  }
  return history;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read the history of " + instance_id);
}

std::vector<history_record> history_table::load(const std::string& instance_id) {
  std::vector<history_record> history;
  for (auto& row : list(instance_id)) {
    row.record.created_at = to_time_point(row.created_at);
    history.push_back(std::move(row.record));
  }
  return history;
}

} // namespace romancy
