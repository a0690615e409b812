// expect: romancy: an argument does not convert
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  static_cast<void>(co_await ctx.try_call<ship>(7, 2, true));
#else
  static_cast<void>(co_await ctx.try_call<ship>("7", 2, true));
#endif
  co_return receipt{in.id};
});
