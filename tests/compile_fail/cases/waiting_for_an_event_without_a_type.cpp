// expect: romancy: an event has `static constexpr auto event_type`
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      co_await ctx.wait_event<order>();
      co_return receipt{in.id};
    });
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      co_await ctx.wait_event<happened>();
      co_return receipt{in.id};
    });
#endif
