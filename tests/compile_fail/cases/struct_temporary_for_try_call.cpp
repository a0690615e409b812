// expect: romancy: no aggregate temporary inside co_await
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  static_cast<void>(co_await ctx.try_call<place>(order{"ORD-1", 1.0}));
#else
  const order placed{"ORD-1", 1.0};
  static_cast<void>(co_await ctx.try_call<place>(placed));
#endif
  co_return receipt{in.id};
});
