#include <condition_variable>
#include <mutex>

#include <romancy/romancy.hpp>

#include "bench/measurement.hpp"
#include "bench/raw_curl.hpp"
#include "bench/scratch_databases.hpp"
#include "cli/event_sink.hpp"

namespace romancy::bench {

namespace {

constexpr auto tell = activity("tell", [](activity_context& ctx, int n) -> void {
  send_event_transactional(ctx, "told", "bench", {{"n", n}});
});
constexpr auto once = workflow("once", [](workflow_context<tell>& ctx, int n) -> task<> { co_await ctx.call<tell>(n); });

} // namespace

/// One caller: from app::start to the event in the broker's hands, and until the result is there.
std::vector<measurement> measure_latency(const settings& how) {
  const int samples = how.size > 0 ? how.size : 500;
  std::mutex mutex;
  std::condition_variable changed;
  int received = 0;
  const cli::event_sink sink{{.on_event = [&](const cloud_event&) {
    const std::lock_guard lock{mutex};
    ++received;
    changed.notify_all();
  }}};
  const auto url = "http://127.0.0.1:" + std::to_string(sink.port()) + "/";
  measurement delivery_50{"latency, start to delivery, p50", "ms", "raw: one commit and one POST", {}, {}};
  measurement delivery_99{"latency, start to delivery, p99", "ms", "raw: one commit and one POST", {}, {}};
  measurement result_50{"latency, start to result, p50", "ms", "raw: three commits", {}, {}};
  for (int run = 0; run < how.runs; ++run) {
    const double commit_ms = 1000 / how.databases->raw_commits_per_second();
    const std::string body = R"({"specversion":"1.0","id":"1","source":"b","type":"t","data":1})";
    const double post_ms = 1000 / raw_posts_per_second(url, body, 500, 1);
    app<once> app{{.database = how.databases->make(), .outbox = {.enabled = true, .broker_url = url}}};
    std::vector<double> delivered, resulted;
    for (int i = 0; i < samples; ++i) {
      int before = 0;
      {
        const std::lock_guard lock{mutex};
        before = received;
      }
      const auto began = std::chrono::steady_clock::now();
      const auto since = [&] {
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
      };
      const auto handle = app.start<once>(i);
      {
        std::unique_lock lock{mutex};
        changed.wait(lock, [&] { return received > before; });
      }
      delivered.push_back(since());
      handle.result();
      resulted.push_back(since());
    }
    delivery_50.values.push_back(percentile(delivered, 0.5));
    delivery_50.baseline_values.push_back(commit_ms + post_ms);
    delivery_99.values.push_back(percentile(delivered, 0.99));
    delivery_99.baseline_values.push_back(commit_ms + post_ms);
    result_50.values.push_back(percentile(resulted, 0.5));
    result_50.baseline_values.push_back(3 * commit_ms);
  }
  return {delivery_50, delivery_99, result_50};
}

} // namespace romancy::bench
