// Steps that run at the same time, and workflows that run as children.
//
//   parallel [example.db]
#include <iostream>
#include <thread>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

constexpr auto ask_supplier =
    romancy::activity("ask_supplier", [](romancy::external_context& ctx, const std::string& name, int ms) -> std::string {
      const auto end = std::chrono::steady_clock::now() + ms * 1ms;
      while (std::chrono::steady_clock::now() < end) {
        ctx.check_stop();
        std::this_thread::sleep_for(1ms);
      }
      return name + " delivers";
    });

constexpr auto book_room = romancy::activity("book_room", [](romancy::activity_context&, const std::string&) -> void {
                           }).compensate([](romancy::activity_context&, const std::string& trip) -> void {
  std::cout << "room of " << trip << " given back\n";
});

// [child]
constexpr auto book_hotel = romancy::workflow(
    "book_hotel", [](romancy::workflow_context<book_room>& ctx, const std::string& trip) -> romancy::task<std::string> {
      co_await ctx.call<book_room>(trip);
      if (trip == "T-2") throw std::runtime_error{"the hotel is closed"};
      co_return "room for " + trip;
    });

constexpr auto travel = romancy::workflow(
    "travel",
    [](romancy::workflow_context<book_hotel, ask_supplier>& ctx, const std::string& trip) -> romancy::task<std::string> {
      auto hotel = ctx.start<book_hotel>(trip); // an instance of its own: T-1/@child.book_hotel:1
      auto tickets = ctx.start<ask_supplier>("airline", 20);
      const auto [room, seats] = co_await ctx.all(hotel, tickets);
      co_return room + ", " + seats;
    });
// [/child]

// [race]
constexpr auto buy = romancy::workflow(
    "buy", [](romancy::workflow_context<ask_supplier>& ctx, int patience_ms) -> romancy::task<std::string> {
      auto quick = ctx.start<ask_supplier>("quick", 20);
      auto slow = ctx.start<ask_supplier>("slow", 60'000);
      auto patience = ctx.start_sleep_for(patience_ms * 1ms);
      const auto winner = co_await ctx.any(quick, slow, patience); // recorded: the same on replay
      if (winner == 2) co_return "nobody in time";
      const auto offer = co_await quick;
      co_return offer;
    });
// [/race]

int main(int argc, char** argv) {
  romancy::app<travel, buy> app{{.database = argc > 1 ? argv[1] : "example.db"}};

  std::cout << app.start<travel>("T-1", romancy::instance_id{"T-1"}).result() << '\n';
  try {
    app.start<travel>("T-2", romancy::instance_id{"T-2"}).result();
  } catch (const romancy::instance_failed& e) {
    std::cout << e.what() << '\n';
  }
  std::cout << app.start<buy>(10'000).result() << '\n';
  std::cout << app.start<buy>(1).result() << '\n';
}
