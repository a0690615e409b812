// Serves orders whose second step waits until a file is there, until SIGTERM.
//
//   gated_worker DATABASE BROKER_URL WORKER_ID LEASE FILE
//
// Orders SHIP-… have no session while they wait, HOLD-… a transaction with rows, all others are in no transaction.
// Prints "waiting ID" and "through ID" when the step of an order waits and when it does no more.
#include <filesystem>
#include <iostream>
#include <thread>

#include <romancy/romancy.hpp>

#include "cli/duration.hpp"
#include "cli/stop_signal.hpp"

using namespace std::chrono_literals;

namespace {

struct gate {
  std::filesystem::path file;

  void pass(const std::string& id) const {
    std::cout << "waiting " + id + '\n' << std::flush;
    while (!exists(file)) std::this_thread::sleep_for(1ms);
    std::cout << "through " + id + '\n' << std::flush;
  }
};

constexpr auto place = romancy::activity("place", [](romancy::activity_context& ctx, const std::string& id) -> void {
  ctx.session() << "INSERT INTO orders (order_id) VALUES (:id)", soci::use(id);
  send_event_transactional(ctx, "order.placed", "test", {{"order_id", id}});
});

/// Has no session while it waits.
constexpr auto ship =
    romancy::activity("ship", [](romancy::activity_context& ctx, const std::string& id, gate& waits) -> void {
      waits.pass(id);
      ctx.session() << "INSERT INTO shipments (order_id) VALUES (:id)", soci::use(id);
      send_event_transactional(ctx, "order.shipped", "test", {{"order_id", id}});
    });

/// Has rows in a transaction while it waits.
constexpr auto hold =
    romancy::activity("hold", [](romancy::activity_context& ctx, const std::string& id, gate& waits) -> void {
      ctx.session() << "INSERT INTO shipments (order_id) VALUES (:id)", soci::use(id);
      send_event_transactional(ctx, "order.shipped", "test", {{"order_id", id}});
      waits.pass(id);
    });

constexpr auto print_label = romancy::activity(
    "print_label", [](romancy::external_context&, const std::string& id, gate& waits) -> void { waits.pass(id); });

constexpr auto serve = romancy::workflow(
    "serve",
    [](romancy::workflow_context<place, ship, hold, print_label>& ctx, const std::string& id) -> romancy::task<> {
      co_await ctx.call<place>(id);
      if (id.starts_with("SHIP"))
        co_await ctx.call<ship>(id);
      else if (id.starts_with("HOLD"))
        co_await ctx.call<hold>(id);
      else
        co_await ctx.call<print_label>(id);
      const nlohmann::json data{{"order_id", id}};
      co_await send_event_transactional(ctx, "order.served", "test", data);
    });

} // namespace

int main(int, char** argv) {
  romancy::cli::stop_signal stop;
  gate waits{argv[5]};
  const romancy::app<serve> app{{.database = argv[1],
                                 .worker_id = argv[3],
                                 .outbox = {.enabled = true, .broker_url = argv[2], .poll_interval = 50ms},
                                 .worker_lease = romancy::cli::parse_duration(argv[4])},
                                waits};
  stop.wait();
  return 0;
}
