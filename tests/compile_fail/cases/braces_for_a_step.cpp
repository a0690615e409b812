// expect: romancy: no braces inside co_await
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await ctx.call<place>({"ORD-1", 1.0});
#else
  co_await ctx.call<place>("ORD-1", 1.0);
#endif
  co_return receipt{in.id};
});
