#include "storage/outbox_reader.hpp"

#include "storage/storage_failure.hpp"
#include "storage/timestamp.hpp"
#include "storage/where_clause.hpp"

namespace romancy {

std::vector<outbox_event> outbox_reader::list(const outbox_filter& filter) try {
  outbox_event row;
  std::string status, created_at, published_at;
  soci::indicator attributes_is, instance_is, error_is, published_is;
  where_clause where;
  where.add("status", filter.status ? std::string{to_string(*filter.status)} : "");
  where.add("event_type", filter.event_type);
  where.add("event_id", filter.event_id);
  soci::details::prepare_temp_type query =
      db_.session().prepare
      << "SELECT event_id, event_type, event_source, event_data, data_encoding, content_type, attributes, instance_id, "
         "status, retry_count, last_error, created_at, published_at FROM outbox_events" +
             where.text() + " ORDER BY sequence LIMIT :limit";
  for (const auto& value : where.values()) query, soci::use(value);
  soci::statement select =
      (query, soci::use(filter.limit), soci::into(row.event_id), soci::into(row.event_type), soci::into(row.event_source),
       soci::into(row.event_data), soci::into(row.data_encoding), soci::into(row.content_type),
       soci::into(row.attributes, attributes_is), soci::into(row.instance_id, instance_is), soci::into(status),
       soci::into(row.retry_count), soci::into(row.last_error, error_is), soci::into(created_at),
       soci::into(published_at, published_is));
  std::vector<outbox_event> events;
  for (bool more = select.execute(true); more; more = select.fetch()) {
    if (attributes_is == soci::i_null) row.attributes.clear();
    if (instance_is == soci::i_null) row.instance_id.clear();
    if (error_is == soci::i_null) row.last_error.clear();
    row.status = to_outbox_status(status).value_or(outbox_status::pending);
    try {
      row.created_at = to_time_point(created_at);
    } catch (const storage_error&) { // written by hand: the others are shown all the same
      row.created_at = {};
    }
    row.published_at.reset();
    try {
      if (published_is != soci::i_null) row.published_at = to_time_point(published_at);
    } catch (const storage_error&) {
      row.published_at = time_point{};
    }
    events.push_back(row);
  }
  return events;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read the outbox");
}

std::map<outbox_status, long long> outbox_reader::status_counts() try {
  using enum outbox_status;
  std::map<outbox_status, long long> counts{{pending, 0}, {published, 0}, {failed, 0}, {invalid, 0}, {expired, 0}};
  std::string status;
  long long count = 0;
  soci::statement select = (db_.session().prepare << "SELECT status, count(*) FROM outbox_events GROUP BY status",
                            soci::into(status), soci::into(count));
  for (bool more = select.execute(true); more; more = select.fetch())
    if (const auto known = to_outbox_status(status)) counts[*known] = count;
  return counts;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "count the outbox");
}

} // namespace romancy
