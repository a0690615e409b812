// expect: romancy: inside an activity the body of transaction takes no parameter
#include "prelude.hpp"

constexpr auto check = romancy::activity("check", [](activity_context& ctx, const order& in) -> receipt {
#ifdef WRONG
  ctx.transaction([&](activity_context&) {});
#else
  ctx.transaction([&] {});
#endif
  return {in.id};
});
