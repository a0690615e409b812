#pragma once

#include <string>
#include <vector>

#include "messages/event_mark.hpp"
#include "messages/event_record.hpp"
#include "storage/database.hpp"

namespace romancy {

/// Writing `outbox_events`: what workers and relayers do. Used inside a transaction. Functions throw storage_failure.
class outbox_table {
public:
  explicit outbox_table(database& db);

  /// Adds it as `pending`, due at once.
  void insert(const event_record& event);
  /// Takes up to `limit` events that are due at `now` and nobody holds, the one due first first.
  std::vector<event_record> claim(const std::string& epoch, int limit, time_point now);
  /// Writes what was found out; false if `epoch` does not hold the event any more. Ends the claim.
  bool mark(const std::string& epoch, const event_mark& mark, time_point now);
  /// Gives back all that `epoch` holds.
  void release(const std::string& epoch);
  /// Gives back those of `claimed` that it still holds.
  void release(const std::string& epoch, const std::vector<event_record>& claimed);
  /// Puts dead events (failed, invalid, expired) back to `pending` with a retry count of 0, due at once; what is empty
  /// does not restrict. Returns how many.
  int redrive(const std::string& event_id, const std::string& event_type, const std::string& status, time_point now);

private:
  database& db_;
  event_record row_;
  std::string epoch_, created_at_, now_, status_, error_;
  soci::indicator attributes_is_, instance_is_, activity_is_, error_is_;
  int limit_ = 0, attempts_ = 0;
  soci::statement insert_, claim_, publish_, close_, retry_;
};

} // namespace romancy
