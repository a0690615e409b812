// expect: deleted
#include "prelude.hpp"

constexpr auto check = romancy::activity("check", [](activity_context& ctx, const order& in) -> receipt {
#ifdef WRONG
  auto copy = ctx.session();
#else
  auto& same = ctx.session();
#endif
  return {in.id};
});
