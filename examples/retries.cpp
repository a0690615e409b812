// Retries: a payment gateway that is busy, that asks for patience, that declines, and that does not answer. ORD-5 has a
// step without a policy of its own: that of the app holds.
//
//   retries [example.db]
#include <condition_variable>
#include <iostream>
#include <map>
#include <mutex>
#include <stop_token>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

struct card_declined : std::runtime_error {
  using runtime_error::runtime_error;
};

class payment_gateway {
public:
  std::string charge(const std::string& order_id, const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    const int call = ++calls_[order_id];
    if (order_id == "ORD-1" && call < 3) throw std::runtime_error{"the gateway is busy"};
    // [patience]
    if (order_id == "ORD-2" && call == 1) throw romancy::retry_after{50ms, "the gateway asks for patience"};
    // [/patience]
    if (order_id == "ORD-3") throw card_declined{"the card is declined"};
    if (order_id == "ORD-4" && call == 1) answer_.wait(lock, stop, [] { return false; }); // none comes
    return "PAY-" + order_id;
  }
  int calls(const std::string& order_id) {
    const std::lock_guard lock{mutex_};
    return calls_[order_id];
  }

private:
  std::mutex mutex_;
  std::condition_variable_any answer_;
  std::map<std::string, int> calls_;
};

// [policy]
constexpr auto charge_card =
    romancy::activity(
        "charge_card",
        [](romancy::external_context& ctx, const std::string& order_id, payment_gateway& gateway) -> std::string {
          const auto payment = gateway.charge(order_id, ctx.stop_token()); // gives up when it is requested
          ctx.check_stop();
          return payment;
        })
        .timeout(1s) // an attempt
        .retry(romancy::exponential(20ms)
                   .max_interval(5s)
                   .jitter(0.2)
                   .max_attempts(10)
                   .max_duration(10min)
                   .non_retryable<card_declined>());
// [/policy]

constexpr auto print_receipt =
    romancy::activity("print_receipt", [](romancy::external_context&, const std::string& order_id) -> void {
      if (order_id == "ORD-5") throw std::runtime_error{"there is no paper"};
    });

constexpr auto process_order = romancy::workflow("process_order",
                                                 [](romancy::workflow_context<charge_card, print_receipt>& ctx,
                                                    const std::string& order_id) -> romancy::task<std::string> {
                                                   const auto payment = co_await ctx.call<charge_card>(order_id);
                                                   co_await ctx.call<print_receipt>(order_id);
                                                   co_return payment;
                                                 });

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  payment_gateway gateway;
  // [default]
  romancy::app<process_order> app{{.database = database, .default_retry = romancy::exponential(10ms).max_attempts(3)},
                                  gateway};
  // [/default]

  for (const std::string id : {"ORD-1", "ORD-2", "ORD-3", "ORD-4", "ORD-5"}) {
    auto order = app.start<process_order>(id, romancy::instance_id{id});
    try {
      std::cout << order.result() << ", asked " << gateway.calls(id) << " times\n";
    } catch (const romancy::instance_failed& e) {
      std::cout << e.what() << '\n';
    }
  }
}
