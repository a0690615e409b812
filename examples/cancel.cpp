// Cancelling: ORD-2 waits for a courier, and the customer gives it up. No further attempt is made, and what is done is
// undone, the step completed last first. ORD-1 has ended: nothing can be cancelled.
//
//   cancel [example.db]
#include <atomic>
#include <iostream>
#include <thread>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

struct courier {
  std::atomic<bool> is_free{true};
  std::atomic<int> asked{0};
};

constexpr auto reserve_stock =
    romancy::activity("reserve_stock", [](romancy::activity_context& ctx, const std::string& order_id) -> void {
      send_event_transactional(ctx, "stock.reserved", "shop", {{"order_id", order_id}});
    }).compensate([](romancy::activity_context& ctx, const std::string& order_id) {
      send_event_transactional(ctx, "stock.released", "shop", {{"order_id", order_id}});
    });

constexpr auto charge_card =
    romancy::activity("charge_card", [](romancy::activity_context& ctx, const std::string& order_id) -> void {
      send_event_transactional(ctx, "card.charged", "shop", {{"order_id", order_id}});
    }).compensate([](romancy::activity_context& ctx, const std::string& order_id) {
      send_event_transactional(ctx, "card.refunded", "shop", {{"order_id", order_id}});
    });

constexpr auto hand_over =
    romancy::activity("hand_over", [](romancy::external_context&, const std::string&, courier& c) -> void {
      ++c.asked;
      if (!c.is_free) throw std::runtime_error{"no courier is free"};
    }).retry(romancy::fixed(20ms).max_attempts(1000));

// [workflow]
constexpr auto process_order =
    romancy::workflow("process_order",
                      [](romancy::workflow_context<reserve_stock, charge_card, hand_over>& ctx,
                         const std::string& order_id) -> romancy::task<void> {
                        co_await ctx.call<reserve_stock>(order_id);
                        co_await ctx.call<charge_card>(order_id);
                        co_await ctx.call<hand_over>(order_id); // is tried until a courier is free
                      });
// [/workflow]

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  courier c;
  romancy::app<process_order> app{{.database = database}, c};
  std::cout << std::boolalpha;

  auto delivered = app.start<process_order>("ORD-1", romancy::instance_id{"ORD-1"});
  delivered.result();
  std::cout << "ORD-1 " << to_string(delivered.status()) << ", cancelled: " << app.cancel("ORD-1", "too late") << '\n';

  c.is_free = false;
  c.asked = 0;
  auto order = app.start<process_order>("ORD-2", romancy::instance_id{"ORD-2"});
  while (c.asked == 0) std::this_thread::sleep_for(1ms);
  // [cancel]
  order.cancel("the customer gave up"); // the same as app.cancel("ORD-2", …), in any process that serves workflows
  try {
    order.result(); // when the compensations are done
  } catch (const romancy::instance_failed& e) {
    std::cout << e.what() << '\n';
  }
  // [/cancel]

  for (const auto& event : app.storage().get_pending_outbox_events(100))
    std::cout << event.event_type << ' ' << event.event_data << '\n';
}
