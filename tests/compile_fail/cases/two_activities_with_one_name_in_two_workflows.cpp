// expect: romancy: two activities of this app share a name
#include "prelude.hpp"

#ifdef WRONG
constexpr auto twin = romancy::activity("place", [](activity_context&, int n) { return n; });
#else
constexpr auto twin = romancy::activity("place_again", [](activity_context&, int n) { return n; });
#endif

constexpr auto second = romancy::workflow(
    "second", [](romancy::workflow_context<twin>& ctx, int n) -> task<int> { co_return co_await ctx.call<twin>(n); });
romancy::app<simple, second> app{{.database = "orders.db"}};
