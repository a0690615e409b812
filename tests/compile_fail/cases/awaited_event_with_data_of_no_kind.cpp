// expect: romancy: the data of an event converts to nlohmann::json
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await send_event_transactional(ctx, "it.happened", "here", opaque());
#else
  co_await send_event_transactional(ctx, "it.happened", "here", romancy::event_data::text("it happened"));
#endif
  co_return receipt{in.id};
});
