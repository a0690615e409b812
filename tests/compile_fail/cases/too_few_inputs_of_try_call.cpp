// expect: romancy: wrong number of inputs
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  static_cast<void>(co_await ctx.try_call<ship>(in.id));
#else
  static_cast<void>(co_await ctx.try_call<ship>(in.id, 2, true));
#endif
  co_return receipt{in.id};
});
