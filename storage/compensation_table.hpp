#pragma once

#include <string>
#include <vector>

#include "messages/compensation_record.hpp"
#include "messages/time_point.hpp"
#include "storage/database.hpp"

namespace romancy {

/// `workflow_compensations`: what is to be undone when an instance fails. Functions throw storage_failure.
class compensation_table {
public:
  explicit compensation_table(database& db);

  void insert(const std::string& instance_id, const compensation_record& record, time_point now);
  void mark_done(std::int64_t id, time_point now);
  /// What is still to be undone, the step completed last first.
  std::vector<compensation_record> remaining(const std::string& instance_id);

private:
  database& db_;
  compensation_record row_;
  std::string instance_id_, now_;
  soci::statement insert_;
};

} // namespace romancy
