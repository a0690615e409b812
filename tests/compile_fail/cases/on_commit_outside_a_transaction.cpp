// expect: no member named .on_commit
#include "prelude.hpp"

#ifdef WRONG
using context = external_context;
#else
using context = activity_context;
#endif

constexpr auto check = romancy::activity("check", [](context& ctx, const order& in) -> receipt {
  ctx.on_commit([] {});
  return {in.id};
});
