// expect: romancy: no aggregate temporary inside co_await
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await send_event_transactional(ctx, happened{in.id});
#else
  const happened event{in.id};
  co_await send_event_transactional(ctx, event);
#endif
  co_return receipt{in.id};
});
