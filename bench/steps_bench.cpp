#include <atomic>
#include <thread>

#include <romancy/romancy.hpp>

#include "bench/measurement.hpp"
#include "bench/scratch_databases.hpp"

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
  measurement many{"steps", "steps/s", "raw, one commit a record", {}, {}};
  measurement one{"steps, one caller", "steps/s", "raw, one commit a record", {}, {}};
  for (int run = 0; run < how.runs; ++run) {
    many.baseline_values.push_back(how.databases->raw_commits_per_second());
    one.baseline_values.push_back(many.baseline_values.back());
    many.values.push_back(steps_per_second(how.databases->make(), instances, how.concurrency));
    one.values.push_back(steps_per_second(how.databases->make(), instances / 10, 1));
  }
  return {many, one};
}

} // namespace romancy::bench
