// expect: no member named .rollback
#include "prelude.hpp"

constexpr auto check = romancy::activity("check", [](activity_context& ctx, const order& in) -> receipt {
#ifdef WRONG
  ctx.session().rollback();
#else
  ctx.session() << "DELETE FROM orders";
  throw romancy::terminal_error{"rolled back"};
#endif
  return {in.id};
});
