#pragma once

#include <string>

namespace romancy {

struct execute_attempt;

/// For tests: sees each run of user code. Called on the executor's thread.
class attempt_watcher {
public:
  virtual ~attempt_watcher() = default;
  /// Before the code runs. What it throws is what the code throws.
  virtual void begins(const execute_attempt& job) = 0;
  /// `error`: empty, or why it is not committed.
  virtual void ended(const execute_attempt& job, const std::string& error) = 0;
};

} // namespace romancy
