#pragma once

#include <string>
#include <vector>

namespace romancy {

/// How the parts of a running app do. A copy, as of the call.
struct health {
  struct part {
    std::string name; ///< "outbox_relayer"
    bool running = false;
    int restarts = 0;         ///< since the app began
    std::string last_error{}; ///< why it was restarted last; empty when it never was
  };
  /// All parts run and the database answers.
  bool ok = false;
  /// Empty, or what the database said when it last failed; cleared by the next success.
  std::string database_error{};
  std::vector<part> parts{};
};

} // namespace romancy
