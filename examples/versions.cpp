// Changing a workflow whose instances are under way: new code is checked against what is stored before it serves, old
// instances go their old way through it, and one that has failed goes on from the middle once the cause is mended.
//
//   versions [example.db]
//   versions workflow replay --dry-run --database example.db
#include <atomic>
#include <iostream>
#include <thread>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

struct warehouse {
  std::atomic<int> reserved{0};
  std::atomic<int> wrapped{0};
  std::atomic<bool> prints_labels{true};
};

constexpr auto ship =
    romancy::activity("ship", [](romancy::external_context&, const std::string& order_id, warehouse& w) -> std::string {
      if (!w.prints_labels) throw romancy::terminal_error{"the label printer is broken"};
      return "TRACK-" + order_id;
    });

void release(romancy::activity_context&, const std::string&, warehouse& w) { --w.reserved; }

// [yesterday]
namespace yesterday {
constexpr auto reserve =
    romancy::activity("reserve", [](romancy::activity_context&, const std::string&, warehouse& w) -> void {
      ++w.reserved;
    }).compensate(release);

constexpr auto process_order = romancy::workflow(
    "process_order",
    [](romancy::workflow_context<reserve, ship>& ctx, const std::string& order_id) -> romancy::task<std::string> {
      co_await ctx.call<reserve>(order_id);
      co_await ctx.wait_event("order.paid");
      const auto tracking = co_await ctx.call<ship>(order_id);
      co_return tracking;
    });
} // namespace yesterday
// [/yesterday]

// [careless]
namespace careless { // reserves nothing before it is paid: what is under way has
using yesterday::reserve;
constexpr auto process_order = romancy::workflow(
    "process_order",
    [](romancy::workflow_context<reserve, ship>& ctx, const std::string& order_id) -> romancy::task<std::string> {
      co_await ctx.wait_event("order.paid");
      co_await ctx.call<reserve>(order_id);
      const auto tracking = co_await ctx.call<ship>(order_id);
      co_return tracking;
    });
} // namespace careless
// [/careless]

// [today]
constexpr auto wrap =
    romancy::activity("wrap", [](romancy::external_context&, const std::string&, warehouse& w) -> void { ++w.wrapped; });

constexpr auto reserve_items =
    romancy::activity("reserve_items",
                      [](romancy::activity_context&, const std::string&, warehouse& w) -> void { ++w.reserved; })
        .compensate(release)
        .formerly("reserve"); // so it is called in the histories of yesterday

constexpr auto process_order =
    romancy::workflow("process_order",
                      [](romancy::workflow_context<reserve_items, wrap, ship>& ctx,
                         const std::string& order_id) -> romancy::task<std::string> {
                        co_await ctx.call<reserve_items>(order_id);
                        const int version = co_await ctx.version("wrap-first", 0, 1);
                        if (version >= 1)
                          co_await ctx.call<wrap>(order_id); // not in an instance that waits for its payment already
                        co_await ctx.wait_event("order.paid");
                        const auto tracking = co_await ctx.call<ship>(order_id);
                        co_return tracking;
                      });
// [/today]

/// Until the instance is a row that waits.
void let_it_wait(const romancy::storage& storage, const std::string& id) {
  while (storage.find_instance(id).value().waits.empty()) std::this_thread::sleep_for(1ms);
}

template <class App> void pay(App& app, const std::string& id) {
  romancy::received_event paid;
  paid.id = "payment of " + id;
  paid.source = "bank";
  paid.type = "order.paid";
  paid.attributes["romancyinstanceid"] = id;
  app.receive(paid);
}

// [main]
int main(int argc, char** argv) {
  if (const auto code = romancy::replay_command<process_order>(argc, argv)) return *code;
  // [/main]
  const std::string database = argc > 1 ? argv[1] : "example.db";
  warehouse w;
  {
    romancy::app<yesterday::process_order> app{{.database = database}, w};
    app.start<yesterday::process_order>("ORD-1", romancy::instance_id{"ORD-1"});
    let_it_wait(app.storage(), "ORD-1");
  }

  // [check]
  const auto careless_report = romancy::check_replay<careless::process_order>({.database = database});
  for (const auto& found : careless_report.mismatches)
    std::cout << found.instance_id << " would be parked: " << found.why << '\n';

  const auto report = romancy::check_replay<process_order>({.database = database});
  std::cout << report.checked << " checked, " << report.misfits << " would be parked\n";
  // [/check]

  romancy::app<process_order> app{{.database = database}, w};
  pay(app, "ORD-1");
  std::cout << app.find<process_order>("ORD-1").result() << ", wrapped " << w.wrapped << '\n';

  w.prints_labels = false;
  const auto order = app.start<process_order>("ORD-2", romancy::instance_id{"ORD-2"});
  let_it_wait(app.storage(), "ORD-2");
  pay(app, "ORD-2");
  try {
    order.result();
  } catch (const romancy::instance_failed& e) {
    std::cout << e.what() << '\n';
  }
  w.prints_labels = true;

  // [fork]
  const auto again =
      app.fork<process_order>("ORD-2", {.from_step = "ship:1", .new_id = romancy::instance_id{"ORD-2, again"}});
  std::cout << again.result() << ", wrapped " << w.wrapped << ", waits for no payment\n";
  // [/fork]
  std::cout << "reserved " << w.reserved << '\n';
}
