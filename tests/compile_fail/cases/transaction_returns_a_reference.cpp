// expect: romancy: return by value: a reference cannot be recorded
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await ctx.transaction([&](activity_context&) -> const order& { return in; });
#else
  co_await ctx.transaction([&](activity_context&) { return in; });
#endif
  co_return receipt{in.id};
});
