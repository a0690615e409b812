// expect: no member named .commit
#include "prelude.hpp"

constexpr auto check = romancy::activity("check", [](activity_context& ctx, const order& in) -> receipt {
#ifdef WRONG
  ctx.session().commit();
#else
  ctx.session() << "SELECT 1";
#endif
  return {in.id};
});
