// Places orders as durable workflows: the seed's e-commerce example, grown into a program that can be killed at any
// moment and started again.
//
//   ecommerce --database orders.db --broker-url http://localhost:8080/events --orders 100 --prefix ORD
//
// It ends with exit code 0 when all orders are complete and no event is pending. Started again it continues what is
// unfinished and repeats nothing; several processes with the same arguments share the work.
#include <atomic>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include <romancy/romancy.hpp>

#include "cli/byte_size.hpp"
#include "cli/duration.hpp"
#include "cli/patiently.hpp"
#include "cli/relay_flags.hpp"
#include "cli/run_main.hpp"
#include "examples/ecommerce_orders.hpp"

using namespace ecommerce;
using namespace std::chrono_literals;

// -- the program --------------------------------------------------------------------------------------------------------

namespace {

struct settings {
  std::string database;
  int orders = 0;
  std::string prefix = "ORD";
  int concurrency = 16;
  std::string worker_id = "ecommerce";
  std::string lease = "10s";
  std::string database_timeout = "30s";
  std::string max_payload = "1MiB";
};

/// Each of `concurrency` clients starts an order and waits for its receipt; returns the first error, or nothing.
template <class App> std::string place_orders(App& app, const settings& given) {
  std::atomic<int> next{0}, complete{0};
  std::mutex mutex;
  std::string first_error;
  // Processes that share the work begin at different places, so that each starts orders of its own.
  const int offset = static_cast<int>(std::hash<std::string>{}(given.worker_id + std::to_string(::getpid())) %
                                      static_cast<unsigned>(given.orders));
  const auto client = [&] {
    for (int i = next++; i < given.orders; i = next++) try {
        const int number = (i + offset) % given.orders + 1;
        const order placed{given.prefix + '-' + std::to_string(number), number, 10.0 + number};
        app.template start<process_order>(placed, romancy::instance_id{placed.id}).result();
        ++complete;
      } catch (const std::exception& e) {
        const std::lock_guard lock{mutex};
        if (first_error.empty()) first_error = e.what();
      }
  };
  std::vector<std::jthread> clients;
  for (int i = 0; i < given.concurrency; ++i) clients.emplace_back(client);
  const std::jthread progress{[&](const std::stop_token& stop) {
    for (int said = 0; !stop.stop_requested(); std::this_thread::sleep_for(100ms))
      if (const int now = complete; now >= said + std::max(1, given.orders / 10)) {
        std::cerr << now << " of " << given.orders << " orders complete\n";
        said = now;
      }
  }};
  clients.clear();
  return first_error;
}

} // namespace

int main(int argc, char** argv) {
  if (const auto code = romancy::replay_command<process_order>(argc, argv)) return *code;
  CLI::App cli{"Places orders as durable workflows, with their events", "ecommerce"};
  settings given;
  romancy::cli::add_database_flag(cli, given.database);
  romancy::cli::add_database_timeout_flag(cli, given.database_timeout);
  cli.add_option("--orders", given.orders, "How many orders to place")->required()->check(CLI::PositiveNumber);
  cli.add_option("--prefix", given.prefix, "Orders are PREFIX-1, PREFIX-2, …")->capture_default_str();
  cli.add_option("--concurrency", given.concurrency, "Orders under way at once")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  cli.add_option("--worker-id", given.worker_id, "A label for people")->capture_default_str();
  cli.add_option("--lease", given.lease, "How long a silent process keeps what it owns")->capture_default_str();
  cli.add_option("--max-payload", given.max_payload, "The largest input, output and event")->capture_default_str();
  const romancy::cli::relay_flags relay{cli};
  return romancy::cli::run_main(cli, argc, argv, [&] {
    const auto patience = romancy::cli::parse_duration(given.database_timeout);
    romancy::app<process_order> app{{.database = given.database,
                                     .worker_id = given.worker_id,
                                     .service_name = "order-service",
                                     .outbox = relay.options(),
                                     .max_payload_bytes = romancy::cli::parse_byte_size(given.max_payload),
                                     .worker_lease = romancy::cli::parse_duration(given.lease),
                                     .database_timeout = patience}};
    romancy::cli::patiently(patience, [&] { create_tables(*app.storage().connect()); });
    const auto began = std::chrono::steady_clock::now();
    const auto error = place_orders(app, given);
    if (!error.empty()) throw std::runtime_error{"not all orders are complete: " + error};
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const auto counts = [&] { return app.storage().get_outbox_status_counts(); };
    while (romancy::cli::patiently(patience, counts).at(romancy::outbox_status::pending) > 0)
      std::this_thread::sleep_for(20ms);
    const std::chrono::duration<double> delivered = std::chrono::steady_clock::now() - began;
    std::cout << given.orders << " orders complete in " << took.count() << " s (" << given.orders / took.count()
              << " orders/s), all events delivered after " << delivered.count() << " s\n";
    for (const auto& [status, count] : romancy::cli::patiently(patience, counts))
      std::cout << "  events " << to_string(status) << ": " << count << '\n';
    return 0;
  });
}
