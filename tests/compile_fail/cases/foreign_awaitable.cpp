// expect: romancy: a workflow waits only for durable steps and tasks
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await std::suspend_always();
#else
  co_await ctx.call<place>(in);
#endif
  co_return receipt{in.id};
});
