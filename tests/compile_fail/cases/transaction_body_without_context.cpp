// expect: romancy: inside a workflow the body of transaction takes romancy::activity_context&
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await ctx.transaction([&] {});
#else
  co_await ctx.transaction([&](activity_context&) {});
#endif
  co_return receipt{in.id};
});
