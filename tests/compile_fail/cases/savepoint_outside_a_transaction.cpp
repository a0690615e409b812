// expect: romancy: no transaction here: take romancy::activity_context& to open a savepoint
#include "prelude.hpp"

#ifdef WRONG
using context = external_context;
#else
using context = activity_context;
#endif

constexpr auto check = romancy::activity("check", [](context& ctx, const order& in) -> receipt {
  ctx.transaction([&] {});
  return {in.id};
});
