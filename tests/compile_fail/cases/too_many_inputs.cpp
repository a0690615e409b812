// expect: romancy: wrong number of inputs
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await ctx.call<place>(in, 7);
#else
  co_await ctx.call<place>(in);
#endif
  co_return receipt{in.id};
});
