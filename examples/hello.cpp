// [hello]
#include <iostream>
#include <romancy/romancy.hpp>
constexpr auto greet = romancy::activity("greet", [](romancy::activity_context& ctx, const std::string& name) {
  send_event_transactional(ctx, "person.greeted", "hello", {{"name", name}}); // commits with the step, or not at all
  return "Hello, " + name + '!';
});
constexpr auto hello = romancy::workflow(
    "hello", [](romancy::workflow_context<greet>& ctx, const std::string& name) -> romancy::task<std::string> {
      co_return co_await ctx.call<greet>(name);
    });
int main() { std::cout << romancy::app<hello>{{.database = "hello.db"}}.start<hello>("world").result() << '\n'; }
// [/hello]
