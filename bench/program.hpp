#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace romancy::bench {

/// A program that lies beside this one, running; ended by SIGTERM at the latest when this goes.
class program {
public:
  /// `arguments[0]` is its name. @throws std::runtime_error
  explicit program(std::vector<std::string> arguments);
  ~program();
  program(program&& other) noexcept;
  program(const program&) = delete;
  program& operator=(const program&) = delete;

  /// Until it ends. @throws std::runtime_error if it does not end with 0
  void wait();

private:
  std::string name_;
  pid_t pid_ = -1;
};

} // namespace romancy::bench
