// expect: romancy: the type of an event, or a member of its data, is not empty
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      co_await ctx.call<place>(in);
      co_return receipt{in.id};
    }).started_by("", "id");
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      co_await ctx.call<place>(in);
      co_return receipt{in.id};
    }).started_by("it.happened", "id");
#endif
