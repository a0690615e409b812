#include <atomic>
#include <thread>

#include <romancy/romancy.hpp>

#include "bench/measurement.hpp"
#include "bench/raw_sqlite.hpp"
#include "cli/event_sink.hpp"
#include "examples/ecommerce_orders.hpp"

namespace romancy::bench {

/// Orders of the e-commerce example, their events relayed meanwhile.
std::vector<measurement> measure_orders(const settings& how) {
  const int orders = how.size > 0 ? how.size : 2000;
  measurement result{"orders", "orders/s", "raw SQLite, one commit a record", {}, {}};
  for (int run = 0; run < how.runs; ++run) {
    const auto file = how.directory + "/orders-" + std::to_string(run);
    result.baseline_values.push_back(raw_sqlite::commits_per_second(file + ".raw"));
    const cli::event_sink sink{{}};
    app<ecommerce::process_order> app{
        {.database = file + ".db",
         .outbox = {.enabled = true, .broker_url = "http://127.0.0.1:" + std::to_string(sink.port()) + "/"}}};
    ecommerce::create_tables(*app.storage().connect());
    std::atomic<int> next{1};
    result.values.push_back(orders / seconds([&] {
                              std::vector<std::jthread> clients;
                              for (int i = 0; i < how.concurrency; ++i)
                                clients.emplace_back([&] {
                                  for (int n = next++; n <= orders; n = next++) {
                                    const ecommerce::order placed{"P-" + std::to_string(n), n, 10.0};
                                    app.start<ecommerce::process_order>(placed, instance_id{placed.id}).result();
                                  }
                                });
                            }));
  }
  return {result};
}

} // namespace romancy::bench
