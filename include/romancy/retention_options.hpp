#pragma once

#include <chrono>

namespace romancy {

/// What an app removes from its database once it is old enough. Ages are by the database's clock where it has one; 0
/// keeps for ever. What is unfinished, parked, or waits to be delivered is never removed, whatever its age. Any number of
/// apps may do this on one database.
struct retention_options {
  /// Instances that are completed, failed or cancelled, with their history: so long after they have ended, and once none
  /// of their events is pending any more. Then there is no such instance: `run::result` and `app::find` say so, and
  /// `app::start` with the same id starts it anew. So keep them for longer than anybody may repeat a start.
  std::chrono::milliseconds finished_instances{0};
  /// Events that are published: so long after their delivery.
  std::chrono::milliseconds delivered_events{0};
  /// Events that are failed, invalid or expired: so long after they were sent. They cannot be redriven any more.
  std::chrono::milliseconds dead_events{0};
  /// What is known of events that were received: so long after they came, one that comes again is a new one. And messages
  /// to instances that have never been there. Longer than any sender may repeat an event.
  std::chrono::milliseconds inbox{std::chrono::hours{24 * 7}};
  /// How often it is looked for what is old enough.
  std::chrono::milliseconds interval{60'000};
  /// Instances or events that are removed in one transaction, 1 to 1000. Others have their turn between two of them.
  int batch = 100;
};

} // namespace romancy
