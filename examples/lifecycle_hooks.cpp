// Lifecycle hooks: counts what happens, for example for metrics. Two orders are paid, one of them at the second attempt;
// the third one is declined and compensated.
//
//   lifecycle_hooks [example.db]
#include <iostream>
#include <map>
#include <thread>

#include <romancy/romancy.hpp>

#include "cli/event_sink.hpp"

using namespace std::chrono_literals;

/// Called from one thread of the app, after what happened is durable.
class counting_hooks : public romancy::lifecycle_hooks {
public:
  void on_workflow_start(const romancy::workflow_info& w) override { ++counts["workflow started: " + w.workflow]; }
  void on_workflow_complete(const romancy::workflow_info& w) override { ++counts["workflow completed: " + w.workflow]; }
  void on_workflow_failed(const romancy::workflow_info& w, const std::string& reason) override {
    ++counts["workflow failed: " + w.workflow + ": " + reason];
  }
  void on_activity_start(const romancy::activity_info& a) override { ++counts["activity started: " + a.step]; }
  void on_activity_complete(const romancy::activity_info& a) override { ++counts["activity completed: " + a.step]; }
  void on_activity_failed(const romancy::activity_info& a, const std::string&) override {
    ++counts["activity failed: " + a.step];
  }
  void on_activity_retry(const romancy::activity_info& a, const std::string&, std::chrono::milliseconds) override {
    ++counts["activity retried: " + a.step];
  }
  void on_event_sent(const romancy::event_info& e) override { ++counts["event sent: " + e.type]; }
  void on_event_delivered(const romancy::event_info& e) override { ++counts["event delivered: " + e.type]; }
  void on_event_failed(const romancy::event_info& e, const std::string&) override { ++counts["event failed: " + e.type]; }

  std::map<std::string, int> counts;
};

constexpr auto reserve =
    romancy::activity("reserve", [](romancy::activity_context& ctx, const std::string& order_id) -> void {
      send_event_transactional(ctx, "stock.reserved", "shop", {{"order_id", order_id}});
    }).compensate([](romancy::activity_context& ctx, const std::string& order_id) {
      send_event_transactional(ctx, "stock.released", "shop", {{"order_id", order_id}});
    });

constexpr auto pay = romancy::activity("pay", [](romancy::external_context& ctx, const std::string& order_id) -> void {
                       if (order_id == "ORD-2" && ctx.attempt() == 1) throw std::runtime_error{"timeout"};
                       if (order_id == "ORD-3") throw romancy::terminal_error{"card declined"};
                     }).retry(romancy::fixed(10ms));

constexpr auto place_order = romancy::workflow(
    "place_order", [](romancy::workflow_context<reserve, pay>& ctx, const std::string& order_id) -> romancy::task<void> {
      co_await ctx.call<reserve>(order_id);
      co_await ctx.call<pay>(order_id);
    });

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  const romancy::cli::event_sink broker{{}};
  const auto hooks = std::make_shared<counting_hooks>();
  {
    romancy::app<place_order> app{
        {.database = database,
         .outbox = {.enabled = true, .broker_url = "http://127.0.0.1:" + std::to_string(broker.port())},
         .hooks = hooks}};
    for (const std::string id : {"ORD-1", "ORD-2", "ORD-3"}) try {
        app.start<place_order>(id, romancy::instance_id{id}).result();
      } catch (const romancy::instance_failed& e) {
        std::cout << e.what() << '\n';
      }
    while (app.storage().get_outbox_status_counts().at(romancy::outbox_status::pending) > 0)
      std::this_thread::sleep_for(10ms);
  } // when the app has stopped, no hook is called any more
  for (const auto& [what, count] : hooks->counts) std::cout << count << "  " << what << '\n';
}
