#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "messages/time_point.hpp"
#include "messages/unserved_workflow.hpp"
#include "storage/database.hpp"

namespace romancy {

/// Instances that are due, and whose workflow no running app serves: they are marked with the time at which that was
/// first seen, and parked after a grace time. Writing is used inside a transaction, and passes over rows that others
/// hold. Functions throw storage_failure.
class unserved_instances {
public:
  explicit unserved_instances(database& db) : db_{db} {}

  /// The workflows of instances that are due and nobody's, and of those that are marked.
  std::vector<std::string> workflows(time_point now);
  /// Marks up to `limit` due instances of `workflow`, and parks those that were marked `grace` ago.
  unserved_workflow leave(const std::string& workflow, time_point now, std::chrono::milliseconds grace, int limit);
  /// Takes the marks from up to `limit` instances of these workflows, and lets those go on that were parked; returns how
  /// many it were. Fewer than `limit`: there are no more.
  int let_go_on(const std::vector<std::string>& workflows, int limit);

private:
  struct marked_instance {
    std::string id;
    bool for_long = false;
  };
  std::vector<marked_instance> due(const std::string& workflow, time_point now, time_point seen_before, int limit);

  database& db_;
};

} // namespace romancy
