#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <romancy/romancy.hpp>

#include "bench/measurement.hpp"
#include "bench/program.hpp"
#include "bench/raw_curl.hpp"
#include "bench/scratch_databases.hpp"
#include "cli/event_sink.hpp"

namespace romancy::bench {

namespace {

using instant = std::chrono::steady_clock::time_point;

/// When each was committed, by the number of the event.
struct commits {
  std::mutex mutex;
  std::map<int, instant> at;
};

constexpr auto hand_over = activity("hand_over", [](activity_context& ctx, int n, commits& seen) -> void {
  send_event_transactional(ctx, "handed.over", "bench", {{"n", n}});
  ctx.on_commit([n, &seen] {
    const std::lock_guard lock{seen.mutex};
    seen.at.emplace(n, std::chrono::steady_clock::now());
  });
});
constexpr auto handing =
    workflow("handing", [](workflow_context<hand_over>& ctx, int n) -> task<> { co_await ctx.call<hand_over>(n); });

} // namespace

/// From the commit in one process to the delivery by another one.
std::vector<measurement> measure_handover(const settings& how) {
  const int samples = how.size > 0 ? how.size : 300;
  measurement half{"commit here to delivery there, p50", "ms", "raw: one POST", {}, {}};
  measurement nearly_all{"commit here to delivery there, p99", "ms", "raw: one POST", {}, {}};
  for (int run = 0; run < how.runs; ++run) {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<int, instant> delivered;
    const cli::event_sink sink{{.on_event = [&](const cloud_event& event) {
      const std::lock_guard lock{mutex};
      if (event.data.is_object() && event.data.contains("n"))
        delivered.emplace(event.data["n"].get<int>(), std::chrono::steady_clock::now());
      changed.notify_all();
    }}};
    const auto broker = "http://127.0.0.1:" + std::to_string(sink.port()) + "/";
    const double post_ms =
        1000 / raw_posts_per_second(broker, R"({"specversion":"1.0","id":"1","source":"b","type":"t","data":1})", 500, 1);
    const auto url = how.databases->make();
    commits seen;
    app<handing> app{{.database = url}, seen};
    const program relay{{"romancy", "relay", "--database", url, "--broker-url", broker}};
    const auto deliver = [&](int n) {
      app.start<handing>(n).result();
      std::unique_lock lock{mutex};
      changed.wait(lock, [&] { return delivered.contains(n); });
    };
    deliver(0); // it has started
    for (int n = 1; n <= samples; ++n) deliver(n);
    std::vector<double> times;
    const std::lock_guard lock{seen.mutex};
    for (int n = 1; n <= samples; ++n)
      times.push_back(std::chrono::duration<double, std::milli>(delivered.at(n) - seen.at.at(n)).count());
    half.values.push_back(percentile(times, 0.5));
    nearly_all.values.push_back(percentile(times, 0.99));
    half.baseline_values.push_back(post_ms);
    nearly_all.baseline_values.push_back(post_ms);
  }
  return {half, nearly_all};
}

} // namespace romancy::bench
