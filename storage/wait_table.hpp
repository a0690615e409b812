#pragma once

#include <string>
#include <vector>

#include "messages/wait_record.hpp"
#include "storage/database.hpp"

namespace romancy {

/// `workflow_waits`. Used inside a transaction that holds the instance. Functions throw storage_failure.
class wait_table {
public:
  explicit wait_table(database& db) : db_{db} {}

  /// Replaces what the step was known to wait for.
  void put(const std::string& instance_id, const wait_record& wait);
  /// In order of position.
  std::vector<wait_record> load(const std::string& instance_id);
  /// The step waits for the child or on the channel.
  bool has(const std::string& instance_id, const std::string& activity_id, const std::string& channel);
  void remove(const std::string& instance_id, const std::string& activity_id);
  void remove_all(const std::string& instance_id);

private:
  database& db_;
};

} // namespace romancy
