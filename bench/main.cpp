// romancy_bench SUBCOMMAND: one JSON object a line, the raw libraries measured beside ours in the same run.
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "bench/measurement.hpp"
#include "cli/run_main.hpp"
#include "storage/database_url.hpp"

namespace {

using romancy::bench::measurement;

void print(const measurement& result, bool json) {
  const double value = romancy::bench::median(result.values);
  const double baseline = romancy::bench::median(result.baseline_values);
  const auto [least, most] = std::minmax_element(result.values.begin(), result.values.end());
  const double spread = (*most - *least) / value;
  if (json)
    std::cout << nlohmann::json{{"bench", result.bench},
                                {"database", "sqlite3"},
                                {"value", value},
                                {"unit", result.unit},
                                {"baseline", result.baseline},
                                {"baseline_value", baseline},
                                {"ratio", value / baseline},
                                {"spread", spread}}
              << std::endl;
  else
    std::cout << result.bench << ": " << value << ' ' << result.unit << ", " << result.baseline << ": " << baseline
              << ", ratio " << value / baseline << ", spread " << spread << std::endl;
}

} // namespace

int main(int argc, char** argv) {
  spdlog::stderr_color_mt("romancy")->set_level(spdlog::level::warn);
  CLI::App app{"Measures Romancy beside the raw libraries", "romancy_bench"};
  app.require_subcommand(1);
  romancy::bench::settings how;
  std::string database;
  bool json = false;
  std::function<std::vector<measurement>(const romancy::bench::settings&)> measure;
  const auto add = [&](const char* name, const char* text, auto function) {
    auto* sub = app.add_subcommand(name, text);
    sub->add_option("--database", database,
                    "sqlite3://path; databases are made beside it, in a directory that is removed")
        ->required();
    sub->add_option("--runs", how.runs, "How often; the median counts")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    sub->add_option("--size", how.size, "Orders, steps, events or samples in a run; 0: as is usual")
        ->capture_default_str();
    sub->add_option("--concurrency", how.concurrency, "Callers, or requests on the wire")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    sub->add_flag("--json", json, "One JSON object a line");
    sub->callback([&measure, function] { measure = function; });
  };
  add("steps", "Activities without rows of their own, from many callers and from one", romancy::bench::measure_steps);
  add("orders", "Orders of the e-commerce example, events relayed meanwhile", romancy::bench::measure_orders);
  add("relay", "Delivering a backlog", romancy::bench::measure_relay);
  add("latency", "From start to the delivered event", romancy::bench::measure_latency);
  return romancy::cli::run_main(app, argc, argv, [&] {
    const auto folder = std::filesystem::absolute(romancy::database_url::parse(database).path).parent_path();
    auto pattern = (folder / "romancy-bench-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::invalid_argument{"cannot write into " + folder.string()};
    how.directory = pattern;
    for (const auto& result : measure(how)) print(result, json);
    std::filesystem::remove_all(how.directory);
    return 0;
  });
}
