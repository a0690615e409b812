#include "tests/support/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing/temporary_directory.hpp"

extern char** environ;

namespace romancy::testing {

namespace {
int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }
} // namespace

child_process::child_process(std::vector<std::string> arguments, std::string output) : output_{std::move(output)} {
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  // Nothing else of ours: a connection that we close would stay open in it.
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  const int failed = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error{arguments[0] + ": " + std::strerror(failed)};
}

child_process::child_process(child_process&& other) noexcept
    : pid_{std::exchange(other.pid_, -1)}, code_{other.code_}, output_{std::move(other.output_)} {}

child_process::~child_process() {
  if (pid_ <= 0 || code_) return;
  ::kill(pid_, SIGKILL);
  wait();
}

void child_process::signal(int number) {
  if (!code_) ::kill(pid_, number);
}

void child_process::stop() {
  signal(SIGSTOP);
  int status = 0;
  if (::waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status)) return;
  code_ = exit_code(status);
  throw std::runtime_error{"it ended before it was stopped: " + output()};
}

std::optional<int> child_process::wait_for(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!code_) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_)
      code_ = exit_code(status);
    else if (std::chrono::steady_clock::now() >= end)
      return std::nullopt;
    else
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return code_;
}

std::string child_process::output() const {
  std::ostringstream text;
  text << std::ifstream{output_}.rdbuf();
  return text.str();
}

bool child_process::says(const std::string& text, std::chrono::milliseconds patience) const {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (output().find(text) == std::string::npos) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

finished_process run_process(std::vector<std::string> arguments) {
  const temporary_directory directory;
  child_process process{std::move(arguments), directory.file("output")};
  const int code = process.wait();
  return {code, process.output()};
}

} // namespace romancy::testing
