// expect: cannot convert .*outcome|no viable conversion
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  const bool placed = co_await ctx.try_call<place>(in);
  if (!placed) co_await ctx.call<pay>(in);
#else
  const auto placed = co_await ctx.try_call<place>(in);
  if (!placed) co_await ctx.call<pay>(in);
#endif
  co_return receipt{in.id};
});
