// expect: romancy: co_await recur, or it does not happen
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      ctx.recur(in);
      co_return receipt{in.id};
    });
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      if (in.amount > 1) co_await ctx.recur(in);
      co_return receipt{in.id};
    });
#endif
