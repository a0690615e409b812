// expect: romancy: these are not the members of the event
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await send_event_transactional<happened>(ctx, in.id, 7);
#else
  co_await send_event_transactional<happened>(ctx, in.id);
#endif
  co_return receipt{in.id};
});
