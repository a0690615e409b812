// Two services, each with a database of its own, that talk by events over HTTP: what is in the outbox of one starts and
// wakes workflows of the other. One sends in binary mode, the other one in structured mode; both take either.
//
//   two_services [example.db]
#include <iostream>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

struct order_placed {
  static constexpr auto event_type = "order.placed";
  std::string order_id;
  int pieces = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_placed, order_id, pieces)

struct parcel_sent {
  static constexpr auto event_type = "parcel.sent";
  std::string order_id;
  std::string tracking;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(parcel_sent, order_id, tracking)

// [shop]
constexpr auto sell = romancy::workflow("sell",
                                        [](romancy::workflow_context<>& ctx, const std::string& order_id,
                                           int pieces) -> romancy::task<std::string> {
                                          co_await send_event_transactional<order_placed>(ctx, order_id, pieces);
                                          const auto parcel = co_await ctx.wait_event<parcel_sent>(24h);
                                          co_return parcel ? parcel->tracking : "lost";
                                        })
                          .addressed_by("parcel.sent", "order_id");
// [/shop]

// [warehouse]
constexpr auto pack =
    romancy::workflow("pack",
                      [](romancy::workflow_context<>& ctx, const order_placed& order) -> romancy::task<std::string> {
                        const auto tracking = order.order_id + '/' + std::to_string(order.pieces);
                        co_await send_event_transactional<parcel_sent>(ctx, order.order_id, tracking);
                        co_return tracking;
                      })
        .started_by("order.placed", "order_id");
// [/warehouse]

std::string url_of(std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port) + "/events"; }

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  // [listen]
  romancy::app<sell> shop{{.database = database + ".shop", .service_name = "/shop"}};
  const auto shop_port = shop.http({.bearer_token = "shop-token"});

  romancy::app<pack> warehouse{
      {.database = database + ".warehouse",
       .service_name = "/warehouse",
       .outbox = {
           .enabled = true, .broker_url = url_of(shop_port), .headers = {{"Authorization", "Bearer shop-token"}}}}};
  const auto warehouse_port = warehouse.http({});
  // [/listen]

  romancy::relayer_options options; // the shop's, now that it is known where the warehouse listens
  options.storage = shop.storage();
  options.broker_url = url_of(warehouse_port);
  options.mode = romancy::content_mode::binary;
  romancy::outbox_relayer relayer{options};
  relayer.start();

  for (const int pieces : {1, 2, 3}) {
    const auto id = "ORD-" + std::to_string(pieces);
    std::cout << id << ' ' << shop.start<sell>(id, pieces, romancy::instance_id{id}).result() << ", packed as "
              << warehouse.find<pack>(id).result() << '\n';
  }
}
