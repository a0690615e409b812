// expect: deleted
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  auto copy = ctx;
#else
  auto& same = ctx;
#endif
  co_return receipt{in.id};
});
