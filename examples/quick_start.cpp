// Quick start: an activity sends an event in the transaction that records its result; the relayer inside the app delivers
// it afterwards.
//
//   quick_start [example.db]
#include <iostream>
#include <thread>

#include <romancy/romancy.hpp>

#include "cli/event_sink.hpp"

using namespace std::chrono_literals;

// [activity]
struct create_order_result {
  std::string order_id;
  std::string status;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(create_order_result, order_id, status)

constexpr auto create_order = romancy::activity(
    "create_order",
    [](romancy::activity_context& ctx, const std::string& order_id, double amount) -> create_order_result {
      std::cout << "Creating order " << order_id << '\n';

      // Goes into the outbox in the transaction that records the result of this activity.
      send_event_transactional(ctx, "order.created", "order-service",
                               {{"order_id", order_id}, {"amount", amount}, {"status", "pending"}});
      return {order_id, "created"};
    });
// [/activity]

constexpr auto place_order =
    romancy::workflow("place_order",
                      [](romancy::workflow_context<create_order>& ctx, const std::string& order_id,
                         double amount) -> romancy::task<create_order_result> {
                        auto created = co_await ctx.call<create_order>(order_id, amount);
                        co_return created;
                      });

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  // Stands in for a broker: any HTTP endpoint that takes CloudEvents will do.
  const romancy::cli::event_sink broker{{.on_event = [](const romancy::cloud_event& event) {
    std::cout << "received " << event.type << " from " << event.source << ": " << event.data << '\n';
  }}};
  const auto broker_url = "http://127.0.0.1:" + std::to_string(broker.port()) + "/events";

  // [app]
  romancy::app<place_order> app{{.database = database, // "sqlite3://orders.db", or a plain path
                                 .worker_id = "worker-1",
                                 .outbox = {.enabled = true,             // a relayer inside the app
                                            .broker_url = broker_url}}}; // where CloudEvents are POSTed

  auto order = app.start<place_order>("ORD-12345", 149.99, romancy::instance_id{"ORD-12345"});
  const auto result = order.result();
  // [/app]

  while (app.storage().get_outbox_status_counts().at(romancy::outbox_status::pending) > 0)
    std::this_thread::sleep_for(10ms);
  std::cout << result.order_id << ": " << result.status << '\n';
}
