// Replay: an app stops in the middle of a workflow; the next one continues it over its history, and the steps that are
// recorded do not run again. Starting twice is starting once. A workflow that has changed its steps is parked.
//
//   replay [example.db]
#include <atomic>
#include <iostream>
#include <thread>
#include <vector>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

/// What the steps work with.
struct warehouse {
  std::atomic<bool> open{false};
  std::atomic<int> reserved{0};
  std::atomic<int> asked{0};
};

constexpr auto reserve_inventory =
    romancy::activity("reserve_inventory",
                      [](romancy::external_context&, const std::string&, warehouse& w) -> int { return ++w.reserved; });

constexpr auto ship_order =
    romancy::activity("ship_order",
                      [](romancy::external_context&, const std::string& order_id, warehouse& w) -> std::string {
                        ++w.asked;
                        if (!w.open) throw std::runtime_error{"the warehouse is closed"};
                        return "TRACK-" + order_id;
                      })
        .retry(romancy::fixed(20ms).max_attempts(1000));

using steps = romancy::workflow_context<reserve_inventory, ship_order>;

// [workflow]
constexpr auto process_order =
    romancy::workflow("process_order", [](steps& ctx, const std::string& order_id) -> romancy::task<std::string> {
      co_await ctx.call<reserve_inventory>(order_id);
      const auto tracking = co_await ctx.call<ship_order>(order_id);
      co_return tracking;
    });
// [/workflow]

// [changed workflow]
// The same name, other steps: what is under way cannot go on with this code.
constexpr auto changed_process_order =
    romancy::workflow("process_order", [](steps& ctx, const std::string& order_id) -> romancy::task<std::string> {
      const auto tracking = co_await ctx.call<ship_order>(order_id);
      co_return tracking;
    });
// [/changed workflow]

struct replay_hooks : romancy::lifecycle_hooks {
  void on_replay(const romancy::workflow_info& workflow, int recorded_steps) override {
    lines.push_back(workflow.instance_id + " is replayed over " + std::to_string(recorded_steps) + " recorded step");
  }
  std::vector<std::string> lines;
};

/// Starts an order and stops the app while the order waits for the warehouse to open.
void begin_order(const std::string& database, const std::string& order_id, warehouse& w) {
  w.open = false;
  w.asked = 0;
  romancy::app<process_order> app{{.database = database}, w};
  app.start<process_order>(order_id, romancy::instance_id{order_id});
  while (w.asked == 0) std::this_thread::sleep_for(1ms);
}

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";
  const auto hooks = std::make_shared<replay_hooks>();
  warehouse w;

  begin_order(database, "ORD-1", w);
  w.open = true;
  {
    // What is unfinished in the database continues by itself.
    romancy::app<process_order> app{{.database = database, .hooks = hooks}, w};
    // [start again]
    auto order = app.start<process_order>("ORD-1", romancy::instance_id{"ORD-1"}); // exists: this is that instance
    std::cout << order.result() << ", reserved " << w.reserved << " time\n";

    try {
      app.start<process_order>("another order", romancy::instance_id{"ORD-1"});
    } catch (const romancy::instance_conflict& e) {
      std::cout << e.what() << '\n';
    }
    // [/start again]
  }
  for (const auto& line : hooks->lines) std::cout << line << '\n';

  begin_order(database, "ORD-2", w);
  w.open = true;
  romancy::app<changed_process_order> app{{.database = database}, w};
  try {
    app.start<changed_process_order>("ORD-2", romancy::instance_id{"ORD-2"}).result();
  } catch (const romancy::instance_failed& e) {
    std::cout << e.what() << '\n';
  }
}
