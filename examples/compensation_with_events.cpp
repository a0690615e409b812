// Compensation with events: the charge fails, so the reservation is released, and an event says so.
//
//   compensation_with_events [example.db]
#include <iostream>

#include <romancy/romancy.hpp>

struct reservation {
  std::string reservation_id;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(reservation, reservation_id)

// [compensation]
// A compensation takes a context, the inputs of its activity, and what the activity returned.
void release_inventory(romancy::activity_context& ctx, const std::string& order_id, const reservation& reserved) {
  std::cout << "Releasing inventory: " << reserved.reservation_id << '\n';
  ctx.session() << "DELETE FROM reservations WHERE order_id = :id", soci::use(order_id);
  send_event_transactional(ctx, "inventory.released", "order-service",
                           {{"reservation_id", reserved.reservation_id}, {"reason", "order_failed"}});
}

constexpr auto reserve_inventory =
    romancy::activity("reserve_inventory",
                      [](romancy::activity_context& ctx, const std::string& order_id) -> reservation {
                        const reservation reserved{"RES-" + order_id};
                        ctx.session() << "INSERT INTO reservations (order_id, reservation_id) VALUES (:order, :id)",
                            soci::use(order_id), soci::use(reserved.reservation_id);
                        send_event_transactional(ctx, "inventory.reserved", "order-service",
                                                 {{"reservation_id", reserved.reservation_id}});
                        return reserved;
                      })
        .compensate(release_inventory);
// [/compensation]

constexpr auto charge_payment =
    romancy::activity("charge_payment", [](romancy::activity_context& ctx, const std::string& order_id) -> void {
      send_event_transactional(ctx, "payment.charged", "payment-service", {{"order_id", order_id}});
      throw romancy::terminal_error{"card declined"}; // no other attempt; the event is undone
    });

constexpr auto process_order = romancy::workflow(
    "process_order",
    [](romancy::workflow_context<reserve_inventory, charge_payment>& ctx,
       const std::string& order_id) -> romancy::task<std::string> {
      const auto reserved = co_await ctx.call<reserve_inventory>(order_id);
      co_await ctx.call<charge_payment>(order_id); // throws activity_failed; the completed steps are compensated
      co_return reserved.reservation_id;
    });

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  romancy::app<process_order> app{{.database = database}};
  const auto sql = app.storage().connect();
  *sql << "CREATE TABLE IF NOT EXISTS reservations (order_id VARCHAR(255) PRIMARY KEY, reservation_id VARCHAR(255))";

  const auto order = app.start<process_order>("ORD-1", romancy::instance_id{"ORD-1"});
  try {
    order.result(); // returns when the compensations are done
  } catch (const romancy::instance_failed& e) {
    std::cout << e.what() << '\n';
  }

  int reservations = 0;
  *sql << "SELECT count(*) FROM reservations", soci::into(reservations);
  std::cout << "reservations: " << reservations << "\nevents:\n";
  for (const auto& event : app.storage().get_pending_outbox_events(10))
    std::cout << "  " << event.event_type << ' ' << event.event_data << '\n';
}
