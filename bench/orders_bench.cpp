#include <atomic>
#include <thread>

#include <romancy/romancy.hpp>

#include "bench/measurement.hpp"
#include "bench/program.hpp"
#include "bench/scratch_databases.hpp"
#include "cli/event_sink.hpp"
#include "examples/ecommerce_orders.hpp"

namespace romancy::bench {

namespace {

/// By processes of their own, each with its share: until all orders are complete and all events delivered.
double orders_per_second(const settings& how, const std::string& database, const std::string& broker, int orders) {
  return orders / seconds([&] {
           std::vector<program> workers;
           for (int i = 1; i <= how.processes; ++i)
             workers.emplace_back(std::vector<std::string>{"ecommerce", "--database", database, "--broker-url", broker,
                                                           "--orders", std::to_string(orders / how.processes), "--prefix",
                                                           "P" + std::to_string(i), "--concurrency",
                                                           std::to_string(std::max(1, how.concurrency / how.processes))});
           for (auto& worker : workers) worker.wait();
         });
}

} // namespace

/// Orders of the e-commerce example, their events relayed meanwhile.
std::vector<measurement> measure_orders(const settings& how) {
  const int orders = how.size > 0 ? how.size : 2000;
  measurement result{how.processes > 0 ? "orders, processes: " + std::to_string(how.processes) : "orders",
                     "orders/s",
                     "raw, one commit a record",
                     {},
                     {}};
  for (int run = 0; run < how.runs; ++run) {
    result.baseline_values.push_back(how.databases->raw_commits_per_second());
    const auto database = how.databases->make();
    const cli::event_sink sink{{}};
    const auto broker = "http://127.0.0.1:" + std::to_string(sink.port()) + "/";
    if (how.processes > 0) {
      result.values.push_back(orders_per_second(how, database, broker, orders));
      continue;
    }
    app<ecommerce::process_order> app{{.database = database, .outbox = {.enabled = true, .broker_url = broker}}};
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
