// expect: romancy: an event has .static constexpr auto event_type
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  const silent event{in.id};
  co_await send_event_transactional(ctx, event);
#else
  const happened event{in.id};
  co_await send_event_transactional(ctx, event, romancy::event_options().id("event-1"));
#endif
  co_return receipt{in.id};
});
