// Rows of your own and events in one transaction: ctx.session() is the transaction in which Romancy writes the outbox and
// the history. The second payment fails after it has written both; nothing of it is left.
//
//   custom_database_operations [example.db]
#include <iostream>

#include <romancy/romancy.hpp>

struct process_payment_result {
  std::string order_id;
  std::string status;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(process_payment_result, order_id, status)

// [activity]
constexpr auto process_payment = romancy::activity(
    "process_payment",
    [](romancy::activity_context& ctx, const std::string& order_id, double amount) -> process_payment_result {
      // The session of the running transaction. The table is in the same database as Romancy's.
      auto& sql = ctx.session();
      sql << "INSERT INTO payments (order_id, amount, status) VALUES (:id, :amount, 'completed')", soci::use(order_id),
          soci::use(amount);

      send_event_transactional(ctx, "payment.processed", "payment-service", {{"order_id", order_id}, {"amount", amount}});

      if (amount > 1000) throw romancy::terminal_error{"the amount is over the limit"}; // rolls back row and event

      // Commits the row, the event and the history of the workflow.
      return {order_id, "processed"};
    });
// [/activity]

constexpr auto pay = romancy::workflow("pay",
                                       [](romancy::workflow_context<process_payment>& ctx, const std::string& order_id,
                                          double amount) -> romancy::task<process_payment_result> {
                                         auto processed = co_await ctx.call<process_payment>(order_id, amount);
                                         co_return processed;
                                       });

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  romancy::app<pay> app{{.database = database}};
  const auto sql = app.storage().connect();
  *sql << "CREATE TABLE IF NOT EXISTS payments (order_id VARCHAR(255) PRIMARY KEY, amount DOUBLE PRECISION, status "
          "VARCHAR(50))";

  const auto processed = app.start<pay>("ORD-1", 99.5, romancy::instance_id{"ORD-1"}).result();
  std::cout << processed.order_id << ": " << processed.status << '\n';
  try {
    app.start<pay>("ORD-2", 5000, romancy::instance_id{"ORD-2"}).result();
  } catch (const romancy::instance_failed& e) {
    std::cout << e.what() << '\n';
  }

  std::cout << "payments:\n";
  const soci::rowset<std::string> payments =
      (sql->prepare << "SELECT order_id || ' ' || amount || ' ' || status FROM payments ORDER BY order_id");
  for (const auto& payment : payments) std::cout << "  " << payment << '\n';
  std::cout << "events:\n";
  for (const auto& event : app.storage().get_pending_outbox_events(10))
    std::cout << "  " << event.event_type << ' ' << event.event_data << '\n';
}
