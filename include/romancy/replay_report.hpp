#pragma once

#include <vector>

#include <romancy/replay_mismatch.hpp>

namespace romancy {

/// What check_replay has found.
struct replay_report {
  long long checked = 0;                     ///< instances
  long long misfits = 0;                     ///< those of them that the code cannot go on with
  std::vector<replay_mismatch> mismatches{}; ///< each of those, the oldest first; empty with replay_options::on_mismatch

  bool fits() const noexcept { return misfits == 0; }
};

} // namespace romancy
