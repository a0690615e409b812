#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace romancy::bench {

/// One line of the report: ours and the raw libraries', measured in turns in the same run.
struct measurement {
  std::string bench;
  std::string unit;
  std::string baseline; ///< what it is compared with, in words
  std::vector<double> values;
  std::vector<double> baseline_values;
};

class scratch_databases;

struct settings {
  scratch_databases* databases = nullptr;
  int processes = 0; ///< that place the orders; 0: this one
  int runs = 3;
  int size = 0; ///< orders, steps, events; 0: what the benchmark thinks right
  int concurrency = 64;
};

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// The `share` (0.5, 0.99) of them is not larger.
inline double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

/// Seconds that `work` takes.
template <class Work> double seconds(Work work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

// Each is a file of its own.
std::vector<measurement> measure_steps(const settings& how);
std::vector<measurement> measure_orders(const settings& how);
std::vector<measurement> measure_relay(const settings& how);
std::vector<measurement> measure_latency(const settings& how);
std::vector<measurement> measure_handover(const settings& how);
std::vector<measurement> measure_idle(const settings& how);
std::vector<measurement> measure_sleepers(const settings& how);

} // namespace romancy::bench
