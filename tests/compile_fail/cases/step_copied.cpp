// expect: deleted
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  auto step = ctx.call<place>(in);
  auto copy = step;
  co_await copy;
#else
  auto step = ctx.call<place>(in);
  co_await step;
#endif
  co_return receipt{in.id};
});
