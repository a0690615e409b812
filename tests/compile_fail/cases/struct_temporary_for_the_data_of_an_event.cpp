// expect: romancy: no aggregate temporary inside co_await
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await send_event_transactional(ctx, "it.happened", "here", order{in.id, 1.0});
#else
  co_await send_event_transactional(ctx, "it.happened", "here", in);
#endif
  co_return receipt{in.id};
});
