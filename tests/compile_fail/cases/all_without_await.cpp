// expect: romancy: co_await all, or nobody waits
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      auto placed = ctx.start<place>(in);
      ctx.all(placed);
      co_return receipt{in.id};
    });
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      auto placed = ctx.start<place>(in);
      co_await ctx.all(placed);
      co_return receipt{in.id};
    });
#endif
