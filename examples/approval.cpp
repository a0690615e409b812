// An order that waits for a decision: events start it, name it and wake it; without a decision it expires.
//
//   approval [example.db]
#include <iostream>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

// [events]
struct order_requested {
  std::string order_id;
  double amount = 0;
  int patience_ms = 86'400'000;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order_requested, order_id, amount, patience_ms)

struct order_approved {
  static constexpr auto event_type = "order.approved";
  std::string order_id;
  std::string by;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order_approved, order_id, by)

struct order_rejected {
  static constexpr auto event_type = "order.rejected";
  std::string order_id;
  std::string why;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order_rejected, order_id, why)
// [/events]

// [workflow]
constexpr auto approve_order =
    romancy::workflow("approve_order",
                      [](romancy::workflow_context<>& ctx, const order_requested& in) -> romancy::task<std::string> {
                        const auto decision =
                            co_await ctx.wait_events<order_approved, order_rejected>(in.patience_ms * 1ms);
                        if (!decision) co_return "expired";
                        if (const auto* yes = std::get_if<order_approved>(&*decision)) {
                          co_await ctx.sleep_for(20ms); // to cool off
                          co_return "approved by " + yes->by;
                        }
                        co_return "rejected: " + std::get<order_rejected>(*decision).why;
                      })
        .started_by("order.requested", "order_id")
        .addressed_by("order.approved", "order_id")
        .addressed_by("order.rejected", "order_id");
// [/workflow]

/// As it comes in from elsewhere.
romancy::received_event event(const std::string& id, const std::string& type, const nlohmann::json& data) {
  return {.id = id, .source = "shop", .type = type, .data = data};
}

int main(int argc, char** argv) {
  romancy::app<approve_order> app{{.database = argc > 1 ? argv[1] : "example.db"}};

  // [receive]
  app.receive({event("1", "order.requested", {{"order_id", "ORD-1"}, {"amount", 12.5}}),
               event("2", "order.requested", {{"order_id", "ORD-2"}, {"amount", 99}}),
               event("3", "order.requested", {{"order_id", "ORD-3"}, {"amount", 1}, {"patience_ms", 50}})});
  app.receive(event("4", "order.approved", {{"order_id", "ORD-1"}, {"by", "Ada"}}));
  app.receive(event("5", "order.rejected", {{"order_id", "ORD-2"}, {"why", "no stock"}}));
  const int news = app.receive(event("4", "order.approved", {{"order_id", "ORD-1"}, {"by", "Ada"}})); // comes again
  // [/receive]
  std::cout << "event 4, the second time: " << news << " new\n";
  for (const auto* id : {"ORD-1", "ORD-2", "ORD-3"})
    std::cout << id << ' ' << app.find<approve_order>(id).result() << '\n';

  try {
    app.receive(event("6", "order.approved", {{"by", "nobody"}}));
  } catch (const romancy::payload_error& e) {
    std::cout << e.what() << '\n';
  }
}
