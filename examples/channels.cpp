// Instances that talk to each other: everybody hears what is published on a channel, or one of those that compete.
//
//   channels [example.db]
#include <algorithm>
#include <array>
#include <iostream>
#include <thread>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

// [broadcast]
constexpr auto listen = romancy::workflow("listen", [](romancy::workflow_context<>& ctx) -> romancy::task<std::string> {
  co_await ctx.subscribe("prices");
  co_await ctx.join_group("listeners");
  co_await ctx.publish("ready", ctx.instance_id());
  const auto price = co_await ctx.receive("prices");
  const auto word = co_await ctx.receive<std::string>("whisper", 10s);
  co_return price.data.at("sku").get<std::string>() + ", whispered: " + word.value_or("nothing");
});
// [/broadcast]

// [competing]
constexpr auto work = romancy::workflow("work", [](romancy::workflow_context<>& ctx) -> romancy::task<std::string> {
  co_await ctx.subscribe("jobs", romancy::channel_mode::competing);
  co_await ctx.publish("ready", ctx.instance_id());
  const auto job = co_await ctx.receive<std::string>("jobs");
  co_return job;
});
// [/competing]

// [publish]
constexpr auto change_price =
    romancy::activity("change_price", [](romancy::activity_context& ctx, const std::string& sku, double price) -> void {
      const nlohmann::json change{{"sku", sku}, {"price", price}};
      ctx.publish("prices", change); // heard once this transaction has committed, and not if it has not
    });

constexpr auto speak =
    romancy::workflow("speak", [](romancy::workflow_context<change_price>& ctx) -> romancy::task<void> {
      co_await ctx.subscribe("ready");
      co_await ctx.publish("started", "now");
      for (int i = 0; i < 4; ++i) co_await ctx.receive("ready");
      co_await ctx.call<change_price>("pot", 12.5);
      const auto members = co_await ctx.group_members("listeners");
      for (const auto& member : members) co_await ctx.send_to(member, "whisper", "only " + member);
      co_await ctx.publish("jobs", "one");
      co_await ctx.publish("jobs", "two");
    });
// [/publish]

int main(int argc, char** argv) {
  romancy::app<listen, work, speak> app{{.database = argc > 1 ? argv[1] : "example.db"}};

  auto speaker = app.start<speak>(romancy::instance_id{"S"});
  while (app.storage().find_instance("S")->history.size() < 2) std::this_thread::sleep_for(1ms); // it listens
  auto a = app.start<listen>(romancy::instance_id{"A"});
  auto b = app.start<listen>(romancy::instance_id{"B"});
  auto one = app.start<work>();
  auto two = app.start<work>();
  speaker.result();
  std::cout << "A: " << a.result() << "\nB: " << b.result() << '\n';
  std::array jobs{one.result(), two.result()};
  std::sort(jobs.begin(), jobs.end());
  std::cout << "jobs: " << jobs[0] << ", " << jobs[1] << '\n';
}
