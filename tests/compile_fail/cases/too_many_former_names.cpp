// expect: romancy: too many of these on one definition
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver = romancy::workflow("deliver",
                                           [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
                                             co_await ctx.call<place>(in);
                                             co_return receipt{in.id};
                                           })
                             .formerly("old0")
                             .formerly("old1")
                             .formerly("old2")
                             .formerly("old3")
                             .formerly("old4")
                             .formerly("old5")
                             .formerly("old6")
                             .formerly("old7")
                             .formerly("old8");
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      co_await ctx.call<place>(in);
      co_return receipt{in.id};
    }).formerly("old");
#endif
