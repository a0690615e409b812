#include "storage/host_process.hpp"

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

/// Field 22 of /proc/<pid>/stat (proc(5)); the second field is a name in parentheses that may hold anything. Empty: no such
/// process, or one that has ended and is not yet waited for.
std::string start_time(const std::string& pid) {
  std::ifstream file{"/proc/" + pid + "/stat"};
  std::string text;
  if (!std::getline(file, text)) return {};
  std::istringstream fields{text.substr(text.rfind(')') + 1)};
  std::string field;
  for (int i = 3; i <= 22 && fields >> field; ++i)
    if (i == 3 && (field == "Z" || field == "X")) return {};
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
  return colon != std::string::npos && start_time(process.substr(0, colon)) != process.substr(colon + 1);
}

} // namespace romancy
