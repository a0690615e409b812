// expect: romancy: an argument does not convert
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await ctx.call<ship>(7, 2, true);
#else
  co_await ctx.call<ship>("7", 2, true);
#endif
  co_return receipt{in.id};
});
