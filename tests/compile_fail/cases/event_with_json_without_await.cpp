// expect: romancy: co_await the step, or it does not happen
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  send_event_transactional(ctx, "it.happened", "here", in);
#else
  co_await send_event_transactional(ctx, "it.happened", "here", in);
#endif
  co_return receipt{in.id};
});
