#include <algorithm>
#include <fstream>
#include <thread>

#include <unistd.h>

#include <romancy/romancy.hpp>

#include "bench/measurement.hpp"
#include "bench/scratch_databases.hpp"

namespace romancy::bench {

namespace {

using namespace std::chrono_literals;
using micros = std::chrono::microseconds;

constexpr auto sleeper = workflow("sleeper", [](workflow_context<>& ctx, std::int64_t until_us) -> task<std::int64_t> {
  const std::chrono::sys_time<micros> until{micros{until_us}};
  co_await ctx.sleep_until(until);
  co_return (ctx.now() - until).count();
});

std::int64_t from_now(micros time) {
  return std::chrono::duration_cast<micros>(std::chrono::system_clock::now().time_since_epoch() + time).count();
}

double resident_bytes() {
  long pages = 0;
  std::ifstream{"/proc/self/statm"} >> pages >> pages;
  return static_cast<double>(pages * ::sysconf(_SC_PAGESIZE));
}

/// Starts them from many threads, and waits until nobody owns them.
template <class App> void start_sleepers(App& app, int count, int callers) {
  std::vector<std::jthread> threads;
  for (int caller = 0; caller < callers; ++caller)
    threads.emplace_back([&, caller] {
      for (int i = caller; i < count; i += callers) app.template start<sleeper>(from_now(24h));
    });
  threads.clear();
  const auto sql = app.storage().connect();
  for (long long awake = 1; awake > 0; std::this_thread::sleep_for(20ms))
    *sql << "SELECT count(*) FROM workflow_instances WHERE owner_epoch IS NOT NULL", soci::into(awake);
}

} // namespace

/// What an instance that sleeps costs a process, and how late it wakes.
std::vector<measurement> measure_sleepers(const settings& how) {
  const int count = how.size > 0 ? how.size : 100'000;
  measurement memory{"sleepers", "bytes of memory for each", "", {}, {}};
  measurement speed{"sleepers", "put to sleep a second", "", {}, {}};
  measurement lateness{"wake up late, p99", "ms", "", {}, {}};
  for (int run = 0; run < how.runs; ++run) {
    app<sleeper> app{{.database = how.databases->make()}};
    start_sleepers(app, 1000, how.concurrency); // what comes once
    const auto before = resident_bytes();
    const auto began = std::chrono::steady_clock::now();
    start_sleepers(app, count, how.concurrency);
    speed.values.push_back(count / std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    memory.values.push_back((resident_bytes() - before) / count);
    constexpr int alarms = 300;
    std::vector<romancy::run<std::int64_t>> waking;
    for (int i = 0; i < alarms; ++i) waking.push_back(app.start<sleeper>(from_now(7s + i * 10ms)));
    std::vector<std::int64_t> late;
    for (auto& one : waking) late.push_back(one.result());
    std::sort(late.begin(), late.end());
    lateness.values.push_back(static_cast<double>(late[alarms * 99 / 100]) / 1000);
  }
  return {memory, speed, lateness};
}

} // namespace romancy::bench
