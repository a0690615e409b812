// expect: romancy: return by value: the savepoint ends here
#include "prelude.hpp"

constexpr auto check = romancy::activity("check", [](activity_context& ctx, const order& in) -> receipt {
#ifdef WRONG
  ctx.transaction([&]() -> const order& { return in; });
#else
  ctx.transaction([&] { return in; });
#endif
  return {in.id};
});
