#include "storage/inbox_table.hpp"

#include "storage/rows_changed.hpp"
#include "storage/storage_failure.hpp"
#include "storage/text_check.hpp"
#include "storage/timestamp.hpp"

namespace romancy {

bool inbox_table::insert(const std::string& source, const std::string& id, const std::string& type, time_point now) try {
  check_text(db_, "write the inbox", {&source, &id, &type});
  const auto at = to_text(now);
  return rows_changed(
             (db_.session().prepare << std::string{db_.dialect().insert_if_absent} +
                                           " INTO inbox_events (event_source, event_id, event_type, received_at) "
                                           "VALUES (:source, :id, :type, :now)" +
                                           std::string{db_.dialect().if_absent},
              soci::use(source), soci::use(id), soci::use(type), soci::use(at))) == 1;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "write the inbox");
}

} // namespace romancy
