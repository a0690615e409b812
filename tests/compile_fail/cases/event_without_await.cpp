// expect: romancy: co_await the step, or it does not happen
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  send_event_transactional<happened>(ctx, in.id);
#else
  co_await send_event_transactional<happened>(ctx, in.id);
#endif
  co_return receipt{in.id};
});
