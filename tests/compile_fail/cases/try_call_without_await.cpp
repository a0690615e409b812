// expect: romancy: co_await the step, or it does not happen
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  ctx.try_call<place>(in);
#else
  static_cast<void>(co_await ctx.try_call<place>(in));
#endif
  co_return receipt{in.id};
});
