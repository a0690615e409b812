// expect: no member named .on_commit
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  ctx.on_commit([] {});
#else
  co_await ctx.transaction([&](activity_context& tx) { tx.on_commit([] {}); });
#endif
  co_return receipt{in.id};
});
