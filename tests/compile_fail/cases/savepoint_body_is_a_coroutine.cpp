// expect: romancy: the body of a transaction is not a coroutine
#include "prelude.hpp"

constexpr auto check = romancy::activity("check", [](activity_context& ctx, const order& in) -> receipt {
#ifdef WRONG
  ctx.transaction([&]() -> task<> { co_return; });
#else
  ctx.transaction([&] { return 1; });
#endif
  return {in.id};
});
