// expect: deleted
#include "prelude.hpp"

constexpr auto check = romancy::activity("check", [](activity_context& ctx, const order& in) -> receipt {
#ifdef WRONG
  auto copy = ctx;
#else
  auto& same = ctx;
#endif
  return {in.id};
});
