// expect: romancy: co_await the task, or nothing runs
#include "prelude.hpp"

task<int> prepare(steps& ctx, const order& in) {
  co_await ctx.call<place>(in);
  co_return 1;
}

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  prepare(ctx, in);
#else
  co_await prepare(ctx, in);
#endif
  co_return receipt{in.id};
});
