// expect: romancy: this workflow does not list the step
#include "prelude.hpp"

#ifdef WRONG
using context = romancy::workflow_context<place>;
#else
using context = romancy::workflow_context<place, pay>;
#endif

constexpr auto deliver = romancy::workflow(
    "deliver", [](context& ctx, const order& in) -> task<receipt> { co_return co_await ctx.call<pay>(in); });
