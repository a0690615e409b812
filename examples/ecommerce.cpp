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

#include "cli/duration.hpp"
#include "cli/relay_flags.hpp"
#include "cli/run_main.hpp"

using namespace std::chrono_literals;

// -- what travels -----------------------------------------------------------------------------------------------------

struct order {
  std::string id;
  int number = 0;
  double amount = 0;
};
struct receipt {
  std::string order_id;
  bool paid = false;
};
struct order_created {
  static constexpr auto event_type = "order.created";
  std::string order_id;
  double amount = 0;
};
struct payment_processed {
  static constexpr auto event_type = "payment.processed";
  std::string order_id;
  double amount = 0;
};
struct payment_failed {
  static constexpr auto event_type = "payment.failed";
  std::string order_id;
  std::string reason;
};
struct order_shipped {
  static constexpr auto event_type = "order.shipped";
  std::string order_id;
};
struct order_completed {
  static constexpr auto event_type = "order.completed";
  std::string order_id;
  bool paid = false;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order, id, number, amount)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(receipt, order_id, paid)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order_created, order_id, amount)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(payment_processed, order_id, amount)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(payment_failed, order_id, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order_shipped, order_id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order_completed, order_id, paid)

// -- activities: rows, events and history in one transaction ------------------------------------------------------------

constexpr auto create_order =
    romancy::activity("create_order", [](romancy::activity_context& ctx, const order& in) -> void {
      ctx.session() << "INSERT INTO orders (order_id, amount, status) VALUES (:id, :amount, 'pending')", soci::use(in.id),
          soci::use(in.amount);
      send_event_transactional(ctx, order_created{in.id, in.amount});
    });

constexpr auto process_payment =
    romancy::activity("process_payment", [](romancy::activity_context& ctx, const order& in) -> bool {
      try {
        ctx.transaction([&] { // a savepoint: its row and its event are undone alone
          ctx.session() << "INSERT INTO payments (order_id, amount) VALUES (:id, :amount)", soci::use(in.id),
              soci::use(in.amount);
          send_event_transactional(ctx, payment_processed{in.id, in.amount});
          if (in.number % 7 == 0) throw std::runtime_error{"card declined"};
        });
        return true;
      } catch (const std::runtime_error& e) {
        send_event_transactional(ctx, payment_failed{in.id, e.what()});
        return false;
      }
    });

constexpr auto ship_order = romancy::activity("ship_order", [](romancy::activity_context& ctx, const order& in) -> void {
  ctx.session() << "INSERT INTO shipments (order_id) VALUES (:id)", soci::use(in.id);
  send_event_transactional(ctx, order_shipped{in.id});
});

// -- the workflow -------------------------------------------------------------------------------------------------------

constexpr auto process_order = romancy::workflow(
    "process_order",
    [](romancy::workflow_context<create_order, process_payment, ship_order>& ctx,
       const order& in) -> romancy::task<receipt> {
      co_await ctx.call<create_order>(in);
      const bool paid = co_await ctx.call<process_payment>(in);
      co_await ctx.call<ship_order>(in);
      co_await send_event_transactional<order_completed>(ctx, in.id, paid); // a durable step: replay never resends
      co_return receipt{in.id, paid};
    });

// -- the program --------------------------------------------------------------------------------------------------------

namespace {

void create_tables(soci::session& sql) {
  sql << "CREATE TABLE IF NOT EXISTS orders (order_id VARCHAR(255) NOT NULL, amount DOUBLE PRECISION, status "
         "VARCHAR(50))";
  sql << "CREATE TABLE IF NOT EXISTS payments (order_id VARCHAR(255) NOT NULL, amount DOUBLE PRECISION)";
  sql << "CREATE TABLE IF NOT EXISTS shipments (order_id VARCHAR(255) NOT NULL)";
}

struct settings {
  std::string database;
  int orders = 0;
  std::string prefix = "ORD";
  int concurrency = 16;
  std::string worker_id = "ecommerce";
  std::string lease = "10s";
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
  CLI::App cli{"Places orders as durable workflows, with their events", "ecommerce"};
  settings given;
  romancy::cli::add_database_flag(cli, given.database);
  cli.add_option("--orders", given.orders, "How many orders to place")->required()->check(CLI::PositiveNumber);
  cli.add_option("--prefix", given.prefix, "Orders are PREFIX-1, PREFIX-2, …")->capture_default_str();
  cli.add_option("--concurrency", given.concurrency, "Orders under way at once")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  cli.add_option("--worker-id", given.worker_id, "A label for people")->capture_default_str();
  cli.add_option("--lease", given.lease, "How long a silent process keeps what it owns")->capture_default_str();
  const romancy::cli::relay_flags relay{cli};
  return romancy::cli::run_main(cli, argc, argv, [&] {
    romancy::app<process_order> app{{.database = given.database,
                                     .worker_id = given.worker_id,
                                     .service_name = "order-service",
                                     .outbox = relay.options(),
                                     .worker_lease = romancy::cli::parse_duration(given.lease)}};
    create_tables(*app.storage().connect());
    const auto began = std::chrono::steady_clock::now();
    const auto error = place_orders(app, given);
    if (!error.empty()) throw std::runtime_error{"not all orders are complete: " + error};
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    while (app.storage().get_outbox_status_counts().at(romancy::outbox_status::pending) > 0)
      std::this_thread::sleep_for(20ms);
    const std::chrono::duration<double> delivered = std::chrono::steady_clock::now() - began;
    std::cout << given.orders << " orders complete in " << took.count() << " s (" << given.orders / took.count()
              << " orders/s), all events delivered after " << delivered.count() << " s\n";
    for (const auto& [status, count] : app.storage().get_outbox_status_counts())
      std::cout << "  events " << to_string(status) << ": " << count << '\n';
    return 0;
  });
}
