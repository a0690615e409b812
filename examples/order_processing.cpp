// Order processing: each step sends its event in its own transaction, the last event comes from the workflow itself. The
// card is charged outside a transaction, under a key that is the same for every attempt.
//
//   order_processing [example.db]
#include <iostream>
#include <map>
#include <mutex>
#include <vector>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

struct order_item {
  std::string sku;
  int quantity = 0;
  double price = 0;
};
struct inventory_result {
  double total_amount = 0;
};
struct order_result {
  std::string order_id;
  std::string status;
  std::string tracking_number;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order_item, sku, quantity, price)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(inventory_result, total_amount)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order_result, order_id, status, tracking_number)

// [typed events]
struct payment_charged {
  static constexpr auto event_type = "payment.charged";
  static constexpr auto event_source = "payment-service";
  std::string order_id;
  std::string transaction_id;
};
struct order_completed {
  static constexpr auto event_type = "order.completed"; // without event_source: app_options::service_name
  std::string order_id;
  std::string status;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(payment_charged, order_id, transaction_id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order_completed, order_id, status)
// [/typed events]

/// A gateway that knows the keys it has seen. Its first answer is lost.
class payment_gateway {
public:
  std::string charge(const std::string& idempotency_key, double amount) {
    const std::lock_guard lock{mutex_};
    const auto transaction = charges_.emplace(idempotency_key, amount).first;
    if (++calls_ == 1) throw std::runtime_error{"timeout"};
    return "TX-" + transaction->first;
  }
  void print() {
    const std::lock_guard lock{mutex_};
    std::cout << "gateway: " << calls_ << " calls, " << charges_.size() << " charge\n";
  }

private:
  std::mutex mutex_; // activities of several instances run at once
  std::map<std::string, double> charges_;
  int calls_ = 0;
};

constexpr auto reserve_inventory =
    romancy::activity("reserve_inventory",
                      [](romancy::activity_context& ctx, const std::string& order_id,
                         const std::vector<order_item>& items) -> inventory_result {
                        double total = 0;
                        for (const auto& item : items) total += item.quantity * item.price;
                        send_event_transactional(ctx, "inventory.reserved", "inventory-service",
                                                 {{"order_id", order_id}, {"items", items}});
                        return {total};
                      });

// [external activity]
constexpr auto charge_payment =
    romancy::activity("charge_payment",
                      [](romancy::external_context& ctx, double amount, payment_gateway& gateway) -> std::string {
                        return gateway.charge(ctx.idempotency_key(), amount); // no transaction is open here
                      })
        .retry(romancy::fixed(10ms).max_attempts(3));
// [/external activity]

constexpr auto ship_order =
    romancy::activity("ship_order", [](romancy::activity_context& ctx, const std::string& order_id) -> std::string {
      const auto tracking_number = "TRACK-" + order_id;
      send_event_transactional(ctx, "order.shipped", "shipping-service",
                               {{"order_id", order_id}, {"tracking_number", tracking_number}});
      return tracking_number;
    });

// [workflow]
constexpr auto process_order = romancy::workflow(
    "process_order",
    [](romancy::workflow_context<reserve_inventory, charge_payment, ship_order>& ctx, const std::string& order_id,
       const std::vector<order_item>& items) -> romancy::task<order_result> {
      const auto inventory = co_await ctx.call<reserve_inventory>(order_id, items); // inventory.reserved
      const auto transaction = co_await ctx.call<charge_payment>(inventory.total_amount);
      co_await send_event_transactional<payment_charged>(ctx, order_id, transaction); // a durable step
      const auto tracking = co_await ctx.call<ship_order>(order_id);                  // order.shipped
      co_await send_event_transactional<order_completed>(ctx, order_id, "completed");
      co_return order_result{order_id, "completed", tracking};
    });
// [/workflow]

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  // [dependency]
  payment_gateway gateway; // outlives the app
  romancy::app<process_order> app{{.database = database, .service_name = "order-service"}, gateway};
  // [/dependency]
  const std::vector<order_item> items{{"tea", 2, 4.5}, {"pot", 1, 21}};
  const auto result = app.start<process_order>("ORD-1", items, romancy::instance_id{"ORD-1"}).result();

  std::cout << result.order_id << ": " << result.status << ", " << result.tracking_number << '\n';
  gateway.print();
  for (const auto& event : app.storage().get_pending_outbox_events(10))
    std::cout << event.event_type << " from " << event.event_source << ' ' << event.event_data << '\n';
}
