// expect: romancy: keep the started step, to wait for it
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      ctx.start<place>(in);
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
