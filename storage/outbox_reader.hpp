#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <romancy/outbox_event.hpp>

#include "storage/database.hpp"

namespace romancy {

/// Which events are meant; what is not set does not restrict.
struct outbox_filter {
  std::optional<outbox_status> status{};
  std::string event_type{};
  std::string event_id{};
  int limit = 100;
};

/// Looking at `outbox_events`: claims nothing, changes nothing. Functions throw storage_failure.
class outbox_reader {
public:
  explicit outbox_reader(database& db) : db_{db} {}

  /// In order of insertion.
  std::vector<outbox_event> list(const outbox_filter& filter);
  /// All five statuses are present.
  std::map<outbox_status, long long> status_counts();

private:
  database& db_;
};

} // namespace romancy
