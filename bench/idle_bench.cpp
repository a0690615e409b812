#include <atomic>
#include <thread>

#include <romancy/romancy.hpp>

#include "bench/measurement.hpp"
#include "bench/scratch_databases.hpp"
#include "examples/ecommerce_orders.hpp"
#include "runtime/statement_hook.hpp"

namespace romancy::bench {

/// What a process with workflows and a relayer asks its database while there is nothing to do.
std::vector<measurement> measure_idle(const settings& how) {
  const int seconds_long = how.size > 0 ? how.size : 20;
  measurement result{"idle", "statements/s", "", {}, {}};
  for (int run = 0; run < how.runs; ++run) {
    std::atomic<int> statements{0};
    install_statement_hook([&](const char*) { ++statements; });
    app<ecommerce::process_order> app{
        {.database = how.databases->make(), .outbox = {.enabled = true, .broker_url = "http://127.0.0.1:9/"}}};
    install_statement_hook({});
    std::this_thread::sleep_for(std::chrono::seconds{5}); // the dispatcher looks less often by and by
    const int before = statements;
    std::this_thread::sleep_for(std::chrono::seconds{seconds_long});
    result.values.push_back((statements - before) / static_cast<double>(seconds_long));
  }
  return {result};
}

} // namespace romancy::bench
