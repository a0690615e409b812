// A service of events: they come in over HTTP, start orders and decide about them, and what happens goes out as events.
//
//   event_service --database orders.db --http-port 8081 --broker-url http://localhost:8080/events
//
// `order.requested` (data: order_id, amount, perhaps approve_within) starts an order, which reserves the goods and waits
// for `order.approved` or `order.rejected`. It sends `order.confirmed`, `order.declined` or, when nobody has decided in
// time, `order.expired`; in the last two cases what it had reserved is free again.
#include <iostream>

#include <CLI/CLI.hpp>

#include <romancy/romancy.hpp>

#include "cli/duration.hpp"
#include "cli/patiently.hpp"
#include "cli/relay_flags.hpp"
#include "cli/run_main.hpp"
#include "cli/stop_signal.hpp"

namespace {

// [events]
struct order_requested {
  std::string order_id;
  double amount = 0;
  std::string approve_within = "24h";
};
void to_json(nlohmann::json& data, const order_requested& order) {
  data = {{"order_id", order.order_id}, {"amount", order.amount}, {"approve_within", order.approve_within}};
}
/// What it throws refuses the event at the door.
void from_json(const nlohmann::json& data, order_requested& order) {
  data.at("order_id").get_to(order.order_id);
  data.at("amount").get_to(order.amount);
  order.approve_within = data.value("approve_within", "24h");
  static_cast<void>(romancy::cli::parse_duration(order.approve_within));
}

/// That it came is enough: its type says it all, and its data names the order, or nothing.
template <const char* const& Type> struct decision {
  static constexpr std::string_view event_type = Type;
  nlohmann::json data{};
};
template <const char* const& Type> void to_json(nlohmann::json& data, const decision<Type>& made) { data = made.data; }
template <const char* const& Type> void from_json(const nlohmann::json& data, decision<Type>& made) { made.data = data; }
constexpr const char* approved_type = "order.approved";
constexpr const char* rejected_type = "order.rejected";
using order_approved = decision<approved_type>;
using order_rejected = decision<rejected_type>;
// [/events]

// [activities]
/// Tells how the order ended in the transaction in which its reservation becomes final, or is given up.
void conclude(romancy::activity_context& ctx, const std::string& order_id, const std::string& status) {
  const std::string reservation = status == "confirmed" ? "taken" : "released";
  ctx.session() << "UPDATE reservations SET status = :status WHERE order_id = :id", soci::use(reservation),
      soci::use(order_id);
  send_event_transactional(ctx, "order." + status, "event-service", {{"order_id", order_id}});
}

constexpr auto reserve =
    romancy::activity("reserve", [](romancy::activity_context& ctx, const std::string& order_id, double amount) -> void {
      ctx.session() << "INSERT INTO reservations (order_id, amount, status) VALUES (:id, :amount, 'reserved')",
          soci::use(order_id), soci::use(amount);
    }).compensate([](romancy::activity_context& ctx, const std::string& order_id, double) -> void {
      ctx.session() << "UPDATE reservations SET status = 'released' WHERE order_id = :id", soci::use(order_id);
    });
constexpr auto finish = romancy::activity(
    "finish", [](romancy::activity_context& ctx, const std::string& order_id, const std::string& status) -> void {
      conclude(ctx, order_id, status);
    });
// [/activities]

// [workflow]
constexpr auto fulfil_order =
    romancy::workflow(
        "fulfil_order",
        [](romancy::workflow_context<reserve, finish>& ctx, const order_requested& order) -> romancy::task<std::string> {
          co_await ctx.call<reserve>(order.order_id, order.amount);
          const auto patience = romancy::cli::parse_duration(order.approve_within);
          const auto made = co_await ctx.wait_events<order_approved, order_rejected>(patience);
          const std::string status = !made ? "expired" : made->index() == 0 ? "confirmed" : "declined";
          co_await ctx.call<finish>(order.order_id, status);
          co_return status;
        })
        .started_by("order.requested", "order_id")
        .addressed_by("order.approved", "order_id")
        .addressed_by("order.rejected", "order_id");
// [/workflow]

struct settings {
  std::string database;
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::string token;
  std::string worker_id = "event_service";
  std::string lease = "10s";
  std::string database_timeout = "30s";
};

void create_tables(soci::session& sql) {
  sql << "CREATE TABLE IF NOT EXISTS reservations (order_id VARCHAR(255) PRIMARY KEY, amount DOUBLE PRECISION NOT NULL, "
         "status VARCHAR(50) NOT NULL)";
}

} // namespace

int main(int argc, char** argv) {
  if (const auto code = romancy::replay_command<fulfil_order>(argc, argv)) return *code;
  CLI::App cli{"Takes orders as events and decides about them", "event_service"};
  settings given;
  romancy::cli::add_database_flag(cli, given.database);
  romancy::cli::add_database_timeout_flag(cli, given.database_timeout);
  cli.add_option("--http-port", given.port, "Where events come in; 0: any port that is free")->required();
  cli.add_option("--http-address", given.address, "An address of this host")->capture_default_str();
  cli.add_option("--token", given.token, "What clients have to send as a bearer token");
  cli.add_option("--worker-id", given.worker_id, "A label for people")->capture_default_str();
  cli.add_option("--lease", given.lease, "How long a silent process keeps what it owns")->capture_default_str();
  const romancy::cli::relay_flags relay{cli};
  return romancy::cli::run_main(cli, argc, argv, [&] {
    romancy::cli::stop_signal stop;
    const auto patience = romancy::cli::parse_duration(given.database_timeout);
    romancy::app<fulfil_order> app{{.database = given.database,
                                    .worker_id = given.worker_id,
                                    .service_name = "event-service",
                                    .outbox = relay.options(),
                                    .worker_lease = romancy::cli::parse_duration(given.lease),
                                    .database_timeout = patience}};
    romancy::cli::patiently(patience, [&] { create_tables(*app.storage().connect()); });
    // [http]
    const auto port = app.http({.address = given.address, .port = given.port, .bearer_token = given.token});
    // [/http]
    std::cout << "listening on " << given.address << ':' << port << std::endl;
    stop.wait();
    return 0;
  });
}
