// expect: romancy: the body of a transaction is not a coroutine
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await ctx.transaction([&](activity_context&) -> task<> { co_return; });
#else
  co_await ctx.transaction([&](activity_context&) {});
#endif
  co_return receipt{in.id};
});
