// A workflow that runs for ever, in runs whose history stays short; and code that changes under it.
//
//   recurring [example.db]
#include <iostream>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

constexpr auto charge =
    romancy::activity("charge", [](romancy::activity_context&, const std::string& customer, int month) -> void {
      std::cout << customer << " pays for month " << month << '\n';
    });
constexpr auto thank = romancy::activity("thank", [](romancy::activity_context&, const std::string& customer) -> void {
  std::cout << "thanks, " << customer << '\n';
});

namespace before {
// [recur]
constexpr auto subscription = romancy::workflow(
    "subscription",
    [](romancy::workflow_context<charge>& ctx, const std::string& customer, int month, int end) -> romancy::task<int> {
      co_await ctx.call<charge>(customer, month);
      co_await ctx.sleep_for(50ms);
      if (month == end) co_return month;
      co_return co_await ctx.recur(customer, month + 1, end); // the same instance, a new run without the old history
    });
// [/recur]
} // namespace before

// [version]
constexpr auto subscription =
    romancy::workflow("subscription",
                      [](romancy::workflow_context<charge, thank>& ctx, const std::string& customer, int month,
                         int end) -> romancy::task<int> {
                        co_await ctx.call<charge>(customer, month);
                        const int version = co_await ctx.version("say-thanks", 0, 1);
                        if (version >= 1)
                          co_await ctx.call<thank>(customer); // not in a run that has gone past this place already
                        co_await ctx.sleep_for(50ms);
                        if (month == end) co_return month;
                        co_return co_await ctx.recur(customer, month + 1, end);
                      });
// [/version]

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";
  {
    romancy::app<before::subscription> app{{.database = database}};
    app.start<before::subscription>("Ada", 1, 3, romancy::instance_id{"S-1"}).result();
    const auto details = app.storage().find_instance("S-1");
    std::cout << "run " << details->instance.run << " has " << details->history.size() << " steps in history\n";
  }
  romancy::app<subscription> app{{.database = database}};
  app.start<subscription>("Bob", 1, 2, romancy::instance_id{"S-2"}).result();
}
