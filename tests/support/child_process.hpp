#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace romancy::testing {

/// A program that the test started; killed with SIGKILL when it still runs at the end.
class child_process {
public:
  /// `arguments[0]` is the program. What it prints goes to `output`, a file, stderr included.
  child_process(std::vector<std::string> arguments, std::string output);
  ~child_process();
  child_process(child_process&& other) noexcept;
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  void signal(int number);
  /// SIGSTOP; all its threads stand still when it returns. It goes on with SIGCONT.
  void stop();
  /// Its exit code, 128 + signal when it was killed; nothing when it still runs after `patience`.
  std::optional<int> wait_for(std::chrono::milliseconds patience);
  int wait() { return *wait_for(std::chrono::hours{1}); }
  bool running() { return !wait_for(std::chrono::milliseconds{0}); }
  /// What it has printed so far.
  std::string output() const;
  /// Waits until it has printed `text`.
  bool says(const std::string& text, std::chrono::milliseconds patience = std::chrono::seconds{30}) const;

private:
  pid_t pid_ = -1;
  std::optional<int> code_;
  std::string output_;
};

/// Runs a program to its end; returns exit code and output.
struct finished_process {
  int code;
  std::string output;
};
finished_process run_process(std::vector<std::string> arguments);

} // namespace romancy::testing
