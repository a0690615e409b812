// expect: romancy: an argument does not convert
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  const receipt other{"ORD-1"};
  co_await ctx.call<place>(other);
#else
  const order other{"ORD-1"};
  co_await ctx.call<place>(other);
#endif
  co_return receipt{in.id};
});
