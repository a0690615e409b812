#pragma once

#include <string>
#include <vector>

#include <romancy/history_entry.hpp>
#include <romancy/instance_summary.hpp>

namespace romancy {

/// An instance with all that is known of it, as it was at one moment.
struct instance_details {
  instance_summary instance;
  std::vector<history_entry> history; ///< in order of completion
  /// What it waits for, in order of position: "@sleep:1 until 2026-11-28 19:00:00.000000", "@wait_event:2 for
  /// order.approved".
  std::vector<std::string> waits;
  std::vector<std::string> pending_events; ///< ids of its events that wait to be delivered, in order of insertion
  /// Steps that are undone if it fails or is cancelled, or are still to be undone: the one completed last first. Empty
  /// once it has completed.
  std::vector<std::string> pending_compensations;
};

} // namespace romancy
