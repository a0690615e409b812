// expect: romancy: no transaction here: take romancy::activity_context& to use the session
#include "prelude.hpp"

#ifdef WRONG
using context = external_context;
#else
using context = activity_context;
#endif

constexpr auto check = romancy::activity("check", [](context& ctx, const order& in) -> receipt {
  ctx.session() << "DELETE FROM orders";
  return {in.id};
});
