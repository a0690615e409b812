// Lets bad things happen to `ecommerce` and `romancy relay`, for as long as it is told: see scripts/torture.
#include <filesystem>
#include <iostream>

#include <CLI/CLI.hpp>

#include "cli/run_main.hpp"
#include "tests/support/child_process.hpp"
#include "testing/temporary_directory.hpp"
#include "tests/support/torture.hpp"

using namespace romancy::testing;

namespace {

struct settings {
  std::string database;
  std::string control;
  int seconds = 60;
  std::uint64_t seed = std::random_device{}();
  int orders = 150;
};

void control(const settings& given, const std::string& what) {
  if (const auto done = run_process({given.control, what}); done.code != 0)
    throw std::runtime_error{given.control + ' ' + what + ": " + done.output};
}

int run(const settings& given) {
  std::cout << "seed " << given.seed << ", " << given.seconds << " s on "
            << romancy::database_url::parse(given.database).shown << std::endl;
  const temporary_directory folder;
  torture_options options{
      .database = given.database, .directory = folder.file(""), .seed = given.seed, .orders = given.orders};
  if (!given.control.empty())
    options.restart_server = [&] {
      control(given, "crash");
      control(given, "start");
    };
  torture victims{options, std::cout};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{given.seconds};
  while (std::chrono::steady_clock::now() < end && victims.faults().empty()) victims.suffer(victims.random_blow());
  victims.finish();
  std::cout << victims.summary() << '\n';
  if (victims.faults().empty()) {
    std::cout << "all is as promised\n";
    return 0;
  }
  std::cout << victims.last_words();
  for (const auto& fault : victims.faults()) std::cout << "wrong: " << fault << '\n';
  std::cout << "to repeat it: --seed " << given.seed << '\n';
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App cli{"Three workers and two relays on one database, to which bad things happen", "torture"};
  settings given;
  cli.add_option("--database", given.database, "A URL of an empty database")->required();
  cli.add_option("--control", given.control, "A program that kills and starts the server: `crash`, `start`");
  cli.add_option("--seconds", given.seconds, "How long")->capture_default_str()->check(CLI::PositiveNumber);
  cli.add_option("--seed", given.seed, "Of all that is random here; timing is not");
  cli.add_option("--orders", given.orders, "In each round")->capture_default_str()->check(CLI::PositiveNumber);
  return romancy::cli::run_main(cli, argc, argv, [&] { return run(given); });
}
