#include <atomic>
#include <thread>

#include <romancy/romancy.hpp>

#include "bench/measurement.hpp"
#include "bench/raw_sqlite.hpp"

namespace romancy::bench {

namespace {

constexpr auto note = activity("note", [](activity_context&, int n) -> int { return n; });
constexpr auto ten_steps = workflow("ten_steps", [](workflow_context<note>& ctx, int first) -> task<int> {
  int sum = 0;
  for (int i = 0; i < 10; ++i) {
    const int output = co_await ctx.call<note>(first + i);
    sum += output;
  }
  co_return sum;
});

double steps_per_second(const std::string& path, int instances, int concurrency) {
  app<ten_steps> app{{.database = path}};
  std::atomic<int> next{0};
  return instances * 10 / seconds([&] {
           std::vector<std::jthread> clients;
           for (int i = 0; i < concurrency; ++i)
             clients.emplace_back([&] {
               for (int n = next++; n < instances; n = next++) app.start<ten_steps>(n).result();
             });
         });
}

} // namespace

std::vector<measurement> measure_steps(const settings& how) {
  const int instances = how.size > 0 ? how.size / 10 : 1000;
  measurement many{"steps", "steps/s", "raw SQLite, one commit a record", {}, {}};
  measurement one{"steps, one caller", "steps/s", "raw SQLite, one commit a record", {}, {}};
  for (int run = 0; run < how.runs; ++run) {
    const auto file = how.directory + "/steps-" + std::to_string(run);
    many.baseline_values.push_back(raw_sqlite::commits_per_second(file + ".raw"));
    one.baseline_values.push_back(many.baseline_values.back());
    many.values.push_back(steps_per_second(file + ".db", instances, how.concurrency));
    one.values.push_back(steps_per_second(file + ".one.db", instances / 10, 1));
  }
  return {many, one};
}

} // namespace romancy::bench
