#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <romancy/instance_status.hpp>
#include <romancy/replay_mismatch.hpp>

namespace romancy {

/// Which instances check_replay is to look at.
struct replay_options {
  /// As app_options::database. It must be there, with the schema of this program.
  std::string database{};
  std::vector<std::string>
      workflows{}; ///< only these, by the names of today or by former ones; empty: all that are stored
  std::vector<std::string> instance_ids{}; ///< only these, which must be there; empty: all
  /// Of those that are not named by their ids; empty: all.
  std::vector<instance_status> statuses{instance_status::running, instance_status::compensating, instance_status::parked};
  std::size_t max_payload_bytes = 1024 * 1024; ///< that of the app: what is larger is refused on replay, too
  std::chrono::milliseconds database_timeout{30'000};
  /// Told of each mismatch, on the calling thread; the report then has only their number.
  std::function<void(const replay_mismatch&)> on_mismatch{};
};

} // namespace romancy
