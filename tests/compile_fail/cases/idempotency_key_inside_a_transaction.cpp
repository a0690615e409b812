// expect: no member named .idempotency_key
#include "prelude.hpp"

#ifdef WRONG
using context = activity_context;
#else
using context = external_context;
#endif

constexpr auto check = romancy::activity("check", [](context& ctx, const order& in) -> receipt {
  static_cast<void>(ctx.idempotency_key());
  return {in.id};
});
