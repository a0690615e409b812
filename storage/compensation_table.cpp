#include "storage/compensation_table.hpp"

#include "storage/storage_failure.hpp"
#include "storage/text_check.hpp"
#include "storage/timestamp.hpp"

namespace romancy {

compensation_table::compensation_table(database& db)
    : db_{db},
      insert_{(db.session().prepare
                   << "INSERT INTO workflow_compensations (instance_id, activity_id, activity_name, args, created_at) "
                      "VALUES (:instance, :activity, :name, :args, :now)",
               soci::use(instance_id_), soci::use(row_.activity_id), soci::use(row_.activity_name),
               soci::use(row_.arguments), soci::use(now_))} {}

void compensation_table::insert(const std::string& instance_id, const compensation_record& record, time_point now) try {
  check_text(db_, "write a compensation of " + instance_id, {&instance_id, &record.activity_id, &record.arguments});
  instance_id_ = instance_id;
  row_ = record;
  now_ = to_text(now);
  insert_.execute(true);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "write a compensation of " + instance_id);
}

void compensation_table::mark_done(std::int64_t id, time_point now) try {
  const auto done_at = to_text(now);
  db_.session() << "UPDATE workflow_compensations SET done_at = :now WHERE id = :id", soci::use(done_at), soci::use(id);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "mark a compensation");
}

std::vector<compensation_record> compensation_table::remaining(const std::string& instance_id) try {
  compensation_record row;
  soci::statement select =
      (db_.session().prepare << "SELECT id, activity_id, activity_name, args FROM workflow_compensations "
                                "WHERE instance_id = :id AND done_at IS NULL ORDER BY id DESC",
       soci::use(instance_id), soci::into(row.id), soci::into(row.activity_id), soci::into(row.activity_name),
       soci::into(row.arguments));
  std::vector<compensation_record> found;
  for (bool more = select.execute(true); more; more = select.fetch()) found.push_back(row);
  return found;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read the compensations of " + instance_id);
}

} // namespace romancy
