// An order with a savepoint, in a process that dies before an SQL statement.
//
//   one_order DATABASE BROKER_URL FATAL
//
// FATAL is which: the k-th (0: none), or the first that begins with this text. Prints "dead at: " and the statement, or
// how many statements it ran when it comes to its end.
#include <atomic>
#include <csignal>
#include <iostream>
#include <string>
#include <thread>

#include <unistd.h>

#include <romancy/romancy.hpp>

#include "runtime/statement_hook.hpp"

using namespace std::chrono_literals;

namespace {

constexpr auto place =
    romancy::activity("place", [](romancy::activity_context& ctx, const std::string& id) -> std::string {
      ctx.session() << "INSERT INTO orders (order_id) VALUES (:id)", soci::use(id);
      send_event_transactional(ctx, "order.created", "test", {{"order_id", id}});
      ctx.transaction([&] {
        ctx.session() << "INSERT INTO payments (order_id) VALUES (:id)", soci::use(id);
        send_event_transactional(ctx, "payment.processed", "test", {{"order_id", id}});
      });
      try {
        ctx.transaction([&] {
          ctx.session() << "INSERT INTO payments (order_id) VALUES ('lost')";
          send_event_transactional(ctx, "payment.lost", "test", {{"order_id", id}});
          throw std::runtime_error{"declined"};
        });
      } catch (const std::runtime_error&) {
        send_event_transactional(ctx, "payment.failed", "test", {{"order_id", id}});
      }
      return id;
    }).compensate([](romancy::activity_context& ctx, const std::string& id, const std::string&) {
      ctx.session() << "INSERT INTO cancellations (order_id) VALUES (:id)", soci::use(id);
      send_event_transactional(ctx, "order.cancelled", "test", {{"order_id", id}});
    });

constexpr auto decline =
    romancy::activity("decline", [](romancy::external_context&) -> void { throw romancy::terminal_error{"declined"}; });

constexpr auto good = romancy::workflow(
    "good", [](romancy::workflow_context<place>& ctx, const std::string& id) -> romancy::task<std::string> {
      const auto placed = co_await ctx.call<place>(id);
      const nlohmann::json data{{"order_id", placed}};
      co_await send_event_transactional(ctx, "order.completed", "test", data);
      co_return placed;
    });

constexpr auto bad = romancy::workflow(
    "bad", [](romancy::workflow_context<place, decline>& ctx, const std::string& id) -> romancy::task<> {
      co_await ctx.call<place>(id);
      co_await ctx.call<decline>();
    });

} // namespace

int main(int, char** argv) {
  const std::string fatal = argv[3];
  const bool numbered = fatal.find_first_not_of("0123456789") == std::string::npos;
  static std::atomic<long> statements{0};
  romancy::install_statement_hook([fatal, fatal_number = numbered ? std::stol(fatal) : 0](const char* sql) {
    const long number = ++statements;
    const std::string text = sql;
    if (fatal_number > 0 ? number != fatal_number : fatal == "0" || !text.starts_with(fatal)) return;
    const auto last_words = "dead at: " + text + '\n';
    static_cast<void>(!::write(STDOUT_FILENO, last_words.data(), last_words.size()));
    std::raise(SIGKILL);
  });
  romancy::app<good, bad> app{{.database = argv[1],
                               .worker_id = "one_order",
                               .outbox = {.enabled = true, .broker_url = argv[2], .poll_interval = 50ms},
                               .worker_lease = 1s}};
  {
    const auto sql = app.storage().connect();
    for (const auto* table : {"orders", "payments", "cancellations"})
      *sql << "CREATE TABLE IF NOT EXISTS " + std::string{table} + " (order_id TEXT)";
  }
  app.start<good>("GOOD", romancy::instance_id{"GOOD"}).result();
  try {
    app.start<bad>("BAD", romancy::instance_id{"BAD"}).result();
    return 1;
  } catch (const romancy::instance_failed&) {
  }
  while (app.storage().get_outbox_status_counts().at(romancy::outbox_status::pending) > 0)
    std::this_thread::sleep_for(2ms);
  std::cout << statements << '\n';
  return 0;
}
