#include "tests/support/private_server.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <unistd.h>

#include "tests/support/programs.hpp"
#include "tests/support/test_database.hpp"

namespace romancy::testing {

namespace {

/// Says where the server is, and stays until this process is gone.
constexpr auto script = R"(
control=$1_CONTROL
printf '%s\n' "${!1}" "${!control}" >"$2.new"
mv "$2.new" "$2"
exec tail --pid="$3" -f /dev/null
)";

} // namespace

private_server::private_server(database_url::backend kind)
    : servers_{{servers_script, "--only", name_of(kind), "/bin/bash", "-c", script, "private_server",
                kind == database_url::backend::mysql ? "ROMANCY_TEST_MYSQL" : "ROMANCY_TEST_POSTGRESQL",
                directory_.file("ready"), std::to_string(::getpid())},
               directory_.file("log")} {
  while (!std::filesystem::exists(directory_.file("ready"))) {
    if (servers_.wait_for(std::chrono::milliseconds{5})) throw std::runtime_error{servers_.output()};
  }
  std::ifstream ready{directory_.file("ready")};
  std::getline(ready, url_);
  std::getline(ready, control_);
}

private_server::~private_server() {
  servers_.signal(SIGTERM);
  servers_.wait_for(std::chrono::minutes{1});
}

void private_server::control(const std::string& what) {
  if (const auto done = run_process({control_, what}); done.code != 0)
    throw std::runtime_error{control_ + ' ' + what + ": " + done.output};
}

} // namespace romancy::testing
