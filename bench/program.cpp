#include "bench/program.hpp"

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

extern char** environ;

namespace romancy::bench {

program::program(std::vector<std::string> arguments) : name_{arguments.at(0)} {
  arguments[0] = (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name_).string();
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  const int failed = ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error{"cannot run " + arguments[0] + ": build it too"};
}

program::program(program&& other) noexcept : name_{std::move(other.name_)}, pid_{std::exchange(other.pid_, -1)} {}

program::~program() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

void program::wait() {
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  if (status != 0) throw std::runtime_error{name_ + " has failed"};
}

} // namespace romancy::bench
