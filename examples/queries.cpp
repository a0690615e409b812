// Looking at instances: lists with filters and pages, one with its history and timing; and how long what is done with is
// kept.
//
//   queries [example.db]
#include <iostream>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

struct order {
  std::string order_id;
  std::string customer;
  double amount = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order, order_id, customer, amount)

void release(romancy::activity_context&, const std::string&) {}
constexpr auto reserve =
    romancy::activity("reserve", [](romancy::activity_context& ctx, const std::string& order_id) -> void {
      send_event_transactional(ctx, "order.reserved", "shop", {{"order_id", order_id}});
    }).compensate(release);

constexpr auto charge = romancy::activity("charge", [](romancy::external_context&, double amount) -> std::string {
  if (amount > 500) throw romancy::terminal_error{"the card has a limit of 500"};
  return "paid";
});

constexpr auto place_order = romancy::workflow(
    "place_order",
    [](romancy::workflow_context<reserve, charge>& ctx, const order& placed) -> romancy::task<std::string> {
      co_await ctx.call<reserve>(placed.order_id);
      const auto receipt = co_await ctx.call<charge>(placed.amount);
      co_return receipt;
    });

// [failed]
void print_failed(const romancy::storage& storage) {
  const auto page =
      storage.list_instances({.statuses = {romancy::instance_status::failed, romancy::instance_status::parked},
                              .workflows = {"place_order"},
                              .order = romancy::instance_order::newest_first});
  for (const auto& instance : page.items)
    std::cout << instance.instance_id << " is " << to_string(instance.status) << ": " << instance.error << '\n';
}
// [/failed]

// [input]
std::vector<std::string> orders_of(const romancy::storage& storage, const std::string& customer) {
  std::vector<std::string> ids;
  // The inputs are an array of the workflow's parameters: $[0] is the first one.
  romancy::instance_filter wanted{.input = {{"$[0].customer", customer}}, .limit = 2};
  do {
    auto page = storage.list_instances(wanted);
    for (auto& instance : page.items) ids.push_back(std::move(instance.instance_id));
    wanted.page = std::move(page.next); // what comes after it; empty: nothing
  } while (!wanted.page.empty());
  return ids;
}
// [/input]

// [details]
void print_one(const romancy::storage& storage, const std::string& id) {
  const auto found = storage.find_instance(id);
  if (!found) return; // never started, or removed since
  std::cout << id << ' ' << to_string(found->instance.status) << ' ' << found->instance.output << '\n';
  for (const auto& step : found->history)
    std::cout << "  " << step.activity_id << ' ' << step.type << " in attempt " << step.attempts << '\n';
  std::cout << "  events that wait: " << found->pending_events.size() << '\n';
  if (const auto took = found->instance.duration(); took && *took > 1h) std::cout << "  took more than an hour\n";
}
// [/details]

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  // [retention]
  romancy::app<place_order> app{
      {.database = database, .retention = {.finished_instances = 24h * 30, .delivered_events = 24h * 7}}};
  // [/retention]

  for (const auto& placed : {order{"ORD-1", "Ada", 20}, order{"ORD-2", "Bob", 900}, order{"ORD-3", "Ada", 30},
                             order{"ORD-4", "Ada", 40}, order{"ORD-5", "Bob", 50}}) {
    const auto run = app.start<place_order>(placed, romancy::instance_id{placed.order_id});
    try {
      static_cast<void>(run.result());
    } catch (const romancy::instance_failed&) { // it is listed below
    }
  }

  print_failed(app.storage());
  std::cout << "Ada has";
  for (const auto& id : orders_of(app.storage(), "Ada")) std::cout << ' ' << id;
  std::cout << '\n';
  print_one(app.storage(), "ORD-1");
}
