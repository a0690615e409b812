#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <romancy/instance_status.hpp>

namespace romancy {

/// A row of `workflow_instances`, as read. Times are UTC.
struct instance_summary {
  using time_point = std::chrono::sys_time<std::chrono::microseconds>;

  std::string instance_id;
  std::string workflow;
  instance_status status = instance_status::running;
  std::string input;         ///< a JSON array: what the workflow was started with
  std::string output;        ///< JSON text, once completed
  std::string error;         ///< why it failed, was cancelled or is parked
  std::string cancel_reason; ///< not empty: it was asked to stop and be undone
  std::string cancelled_by;  ///< who asked for that; empty: nobody, or it was not said
  std::string parent;        ///< the instance whose child it is; empty: nobody's
  std::string forked_from;   ///< the instance whose history it began with; empty: nobody's
  std::string fork_step;     ///< the first step that it did not take over: "charge_card:1"
  int run = 1;               ///< how often it has continued as new, and 1
  std::string owner;         ///< the worker epoch that runs it; empty: nobody's
  time_point started_at{};
  std::optional<time_point> finished_at; ///< when it ended, or was parked

  /// From start to end; nothing: it has not ended.
  std::optional<std::chrono::microseconds> duration() const {
    if (!finished_at) return std::nullopt;
    return *finished_at - started_at;
  }
};

} // namespace romancy
