// expect: romancy: this workflow does not list the step
#include "prelude.hpp"

#ifdef WRONG
using context = romancy::workflow_context<place>;
#else
using context = romancy::workflow_context<place, pay>;
#endif

constexpr auto deliver = romancy::workflow("deliver", [](context& ctx, const order& in) -> task<receipt> {
  const auto paid = co_await ctx.try_call<pay>(in);
  co_return paid ? *paid : receipt();
});
