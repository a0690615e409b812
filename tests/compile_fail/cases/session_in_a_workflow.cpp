// expect: romancy: a workflow has no session
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  ctx.session() << "DELETE FROM orders";
#else
  co_await ctx.transaction([&](activity_context& tx) { tx.session() << "DELETE FROM orders"; });
#endif
  co_return receipt{in.id};
});
