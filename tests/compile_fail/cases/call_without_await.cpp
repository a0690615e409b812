// expect: romancy: co_await the step, or it does not happen
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  ctx.call<place>(in);
#else
  co_await ctx.call<place>(in);
#endif
  co_return receipt{in.id};
});
