// Savepoints: the payment fails and is undone alone; the order and the event that says so stay.
//
//   savepoints [example.db]
#include <iostream>

#include <romancy/romancy.hpp>

struct order_with_payment_result {
  std::string order_id;
  std::string status;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order_with_payment_result, order_id, status)

// [activity]
constexpr auto process_order_with_optional_payment = romancy::activity(
    "process_order_with_optional_payment",
    [](romancy::activity_context& ctx, const std::string& order_id) -> order_with_payment_result {
      // The outer transaction is the activity's own.
      auto& sql = ctx.session();
      sql << "INSERT INTO orders (order_id, status) VALUES (:id, 'pending')", soci::use(order_id);
      send_event_transactional(ctx, "order.created", "order-service", {{"order_id", order_id}});

      try {
        ctx.transaction([&] { // a savepoint
          send_event_transactional(ctx, "payment.attempted", "payment-service", {{"order_id", order_id}});
          const double amount = 100;
          sql << "INSERT INTO payments (order_id, amount) VALUES (:id, :amount)", soci::use(order_id), soci::use(amount);
          throw std::runtime_error{"payment gateway unavailable"};
        });
      } catch (const std::runtime_error&) {
        // The row in payments and payment.attempted are undone; the order and order.created are not.
        send_event_transactional(ctx, "payment.failed", "payment-service",
                                 {{"order_id", order_id}, {"reason", "gateway_unavailable"}});
      }
      return {order_id, "created"};
    });
// [/activity]

constexpr auto process_order =
    romancy::workflow("process_order",
                      [](romancy::workflow_context<process_order_with_optional_payment>& ctx,
                         const std::string& order_id) -> romancy::task<order_with_payment_result> {
                        auto created = co_await ctx.call<process_order_with_optional_payment>(order_id);
                        co_return created;
                      });

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  romancy::app<process_order> app{{.database = database}};
  const auto sql = app.storage().connect();
  *sql << "CREATE TABLE IF NOT EXISTS orders (order_id VARCHAR(255) PRIMARY KEY, status VARCHAR(50))";
  *sql << "CREATE TABLE IF NOT EXISTS payments (order_id VARCHAR(255) PRIMARY KEY, amount DOUBLE PRECISION)";

  const auto result = app.start<process_order>("ORD-1", romancy::instance_id{"ORD-1"}).result();
  std::cout << result.order_id << ": " << result.status << '\n';

  int orders = 0;
  int payments = 0;
  *sql << "SELECT count(*) FROM orders", soci::into(orders);
  *sql << "SELECT count(*) FROM payments", soci::into(payments);
  std::cout << "orders: " << orders << ", payments: " << payments << "\nevents:\n";
  for (const auto& event : app.storage().get_pending_outbox_events(10))
    std::cout << "  " << event.event_type << ' ' << event.event_data << '\n';
}
