// The orders of the e-commerce example: what travels, the activities, the workflow.
#pragma once

#include <stdexcept>
#include <string>

#include <romancy/romancy.hpp>

namespace ecommerce {

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

inline constexpr auto create_order =
    romancy::activity("create_order", [](romancy::activity_context& ctx, const order& in) -> void {
      ctx.session() << "INSERT INTO orders (order_id, amount, status) VALUES (:id, :amount, 'pending')", soci::use(in.id),
          soci::use(in.amount);
      send_event_transactional(ctx, order_created{in.id, in.amount});
    });

inline constexpr auto process_payment =
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

inline constexpr auto ship_order =
    romancy::activity("ship_order", [](romancy::activity_context& ctx, const order& in) -> void {
      ctx.session() << "INSERT INTO shipments (order_id) VALUES (:id)", soci::use(in.id);
      send_event_transactional(ctx, order_shipped{in.id});
    });

// -- the workflow -------------------------------------------------------------------------------------------------------

inline constexpr auto process_order = romancy::workflow(
    "process_order",
    [](romancy::workflow_context<create_order, process_payment, ship_order>& ctx,
       const order& in) -> romancy::task<receipt> {
      co_await ctx.call<create_order>(in);
      const bool paid = co_await ctx.call<process_payment>(in);
      co_await ctx.call<ship_order>(in);
      co_await send_event_transactional<order_completed>(ctx, in.id, paid); // a durable step: replay never resends
      co_return receipt{in.id, paid};
    });

inline void create_tables(soci::session& sql) {
  sql << "CREATE TABLE IF NOT EXISTS orders (order_id VARCHAR(255) NOT NULL, amount DOUBLE PRECISION, status "
         "VARCHAR(50))";
  sql << "CREATE TABLE IF NOT EXISTS payments (order_id VARCHAR(255) NOT NULL, amount DOUBLE PRECISION)";
  sql << "CREATE TABLE IF NOT EXISTS shipments (order_id VARCHAR(255) NOT NULL)";
}

} // namespace ecommerce
