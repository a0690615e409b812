#include "storage/host_process.hpp"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

namespace romancy {

namespace {

std::string this_host() {
  std::ifstream boot{"/proc/sys/kernel/random/boot_id"};
  std::string boot_id;
  std::error_code failed;
  const auto processes = std::filesystem::read_symlink("/proc/self/ns/pid", failed);
  if (!(boot >> boot_id) || failed) return {};
  return boot_id + '/' + processes.string();
}

/// Field 22 of /proc/<pid>/stat (proc(5)); the second field is a name in parentheses that may hold anything. Empty where
/// it cannot be read; "ended" for one that has ended and is not yet waited for.
std::string start_time(const std::string& pid) {
  std::ifstream file{"/proc/" + pid + "/stat"};
  std::string text;
  if (!std::getline(file, text)) return {};
  std::istringstream fields{text.substr(text.rfind(')') + 1)};
  std::string field;
  for (int i = 3; i <= 22 && fields >> field; ++i)
    if (i == 3 && (field == "Z" || field == "X")) return "ended";
  return field;
}

} // namespace

host_process host_process::self() {
  static const auto host = this_host();
  const auto pid = std::to_string(::getpid());
  return {host, pid + ':' + start_time(pid)};
}

bool host_process::is_gone(const std::string& host, const std::string& process) {
  if (host.empty() || host != self().host) return false;
  const auto colon = process.find(':');
  if (colon == std::string::npos) return false;
  const auto pid = process.substr(0, colon);
  const auto started = start_time(pid);
  if (!started.empty()) return started != process.substr(colon + 1);
  return ::kill(static_cast<pid_t>(std::stol(pid)), 0) != 0 && errno == ESRCH; // /proc may hide the processes of others
}

} // namespace romancy
