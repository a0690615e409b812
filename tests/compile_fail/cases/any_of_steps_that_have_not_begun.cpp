// expect: romancy: any takes steps that ctx.start has begun
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      auto placed = ctx.call<place>(in);
      co_await ctx.any(placed);
      co_return receipt{in.id};
    });
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      auto placed = ctx.start<place>(in);
      co_await ctx.any(placed);
      co_return receipt{in.id};
    });
#endif
