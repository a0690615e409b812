// romancy_bench SUBCOMMAND: one JSON object a line, the raw libraries measured beside ours in the same run.
#include <cstdlib>
#include <functional>
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "bench/measurement.hpp"
#include "cli/run_main.hpp"
#include "bench/scratch_databases.hpp"

namespace {

using romancy::bench::measurement;

void print(const measurement& result, const std::string& database, bool json) {
  const double value = romancy::bench::median(result.values);
  const double baseline = result.baseline_values.empty() ? 0 : romancy::bench::median(result.baseline_values);
  const auto [least, most] = std::minmax_element(result.values.begin(), result.values.end());
  const double spread = (*most - *least) / value;
  if (json)
    std::cout << nlohmann::json{{"bench", result.bench},
                                {"database", database},
                                {"value", value},
                                {"unit", result.unit},
                                {"spread", spread},
                                {"baseline", result.baseline},
                                {"baseline_value", baseline},
                                {"ratio", baseline > 0 ? nlohmann::json(value / baseline) : nlohmann::json()}}
              << std::endl;
  else
    std::cout << result.bench << ": " << value << ' ' << result.unit << ", spread " << spread
              << (baseline > 0 ? ", " + result.baseline + ": " + std::to_string(baseline) + ", ratio " +
                                     std::to_string(value / baseline)
                               : "")
              << std::endl;
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
                    "sqlite3://path: databases are made beside it; or the URL of a server where databases may be made. "
                    "They are removed")
        ->required();
    sub->add_option("--runs", how.runs, "How often; the median counts")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    sub->add_option("--size", how.size, "Orders, steps, events or samples in a run; 0: as is usual")
        ->capture_default_str();
    sub->add_option("--concurrency", how.concurrency, "Callers, or requests on the wire")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    sub->add_option("--processes", how.processes, "Of orders: processes that place them; 0: this one")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    sub->add_flag("--json", json, "One JSON object a line");
    sub->callback([&measure, function] { measure = function; });
  };
  add("steps", "Activities without rows of their own, from many callers and from one", romancy::bench::measure_steps);
  add("orders", "Orders of the e-commerce example, events relayed meanwhile", romancy::bench::measure_orders);
  add("relay", "Delivering a backlog", romancy::bench::measure_relay);
  add("latency", "From start to the delivered event", romancy::bench::measure_latency);
  add("handover", "From the commit in one process to the delivery by another", romancy::bench::measure_handover);
  add("sleepers", "Memory and lateness of instances that sleep", romancy::bench::measure_sleepers);
  add("idle", "Statements while there is nothing to do", romancy::bench::measure_idle);
  return romancy::cli::run_main(app, argc, argv, [&] {
    romancy::bench::scratch_databases databases{database};
    how.databases = &databases;
    for (const auto& result : measure(how)) print(result, databases.kind(), json);
    return 0;
  });
}
