// Time: an invoice whose reminder is written down, so that it comes also when the app is away meanwhile; and an order
// that is cancelled when it takes too long.
//
//   timers [example.db]
#include <iostream>
#include <thread>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

constexpr auto mail =
    romancy::activity("mail",
                      [](romancy::activity_context&, const std::string& invoice, const std::string& text) -> void {
                        std::cout << invoice << ' ' << text << '\n';
                      })
        .compensate([](romancy::activity_context&, const std::string& invoice, const std::string&) {
          std::cout << invoice << " is withdrawn\n";
        });

// [sleep]
constexpr auto remind = romancy::workflow(
    "remind", [](romancy::workflow_context<mail>& ctx, const std::string& invoice) -> romancy::task<bool> {
      const auto due = ctx.now() + 1s; // the same in each replay
      co_await ctx.call<mail>(invoice, "is here");
      co_await ctx.sleep_until(due);
      co_await ctx.call<mail>(invoice, "is due");
      co_await ctx.sleep_for(200ms); // from when this is reached first, whatever dies meanwhile
      co_await ctx.call<mail>(invoice, "is overdue");
      co_return ctx.now() >= due + 200ms;
    });
// [/sleep]

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";
  {
    romancy::app<remind> app{{.database = database}};
    app.start<remind>("INV-1", romancy::instance_id{"INV-1"});
    while (app.storage().find_instance("INV-1")->history.empty()) std::this_thread::sleep_for(1ms);
  }
  std::cout << "the app is gone\n";
  std::this_thread::sleep_for(1100ms);
  romancy::app<remind> app{{.database = database}};
  const bool in_time = app.find<remind>("INV-1").result();
  std::cout << "not too early: " << std::boolalpha << in_time << '\n';

  // [limit]
  auto order = app.start<remind>("INV-2", romancy::instance_id{"INV-2"}, romancy::time_limit{500ms});
  try {
    order.result();
  } catch (const romancy::instance_failed& e) {
    std::cout << e.what() << '\n';
  }
  // [/limit]
}
