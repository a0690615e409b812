// expect: romancy: a dependency of an activity is missing
#include "prelude.hpp"

constexpr auto booked =
    place.compensate([](activity_context&, const order&, const receipt& r, gateway& g) { g.refund(r); });
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<booked>& ctx, const order& in) -> task<receipt> {
      co_return co_await ctx.call<booked>(in);
    });

#ifdef WRONG
void f() { romancy::app<deliver> app{{.database = "orders.db"}}; }
#else
void f(gateway& g) { romancy::app<deliver> app{{.database = "orders.db"}, g}; }
#endif
