#pragma once

#include <string>

namespace romancy {

/// Who runs here, so that another process on the same host can see at once that we are gone, instead of waiting for a
/// lease to run out. A host is a boot of a kernel and a process namespace; a process is its number and its start time.
struct host_process {
  std::string host;    ///< empty where it cannot be told: then only leases count
  std::string process; ///< "pid:start time in clock ticks"

  static host_process self();
  /// True when the process certainly does not run any more: it was on this host, and is not.
  static bool is_gone(const std::string& host, const std::string& process);
};

} // namespace romancy
