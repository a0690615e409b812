// expect: romancy: no braces inside co_await
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
  const auto options = romancy::event_options().id("event-1");
#ifdef WRONG
  co_await send_event_transactional(ctx, "it.happened", "here", {{"id", in.id}}, options);
#else
  const nlohmann::json data{{"id", in.id}};
  co_await send_event_transactional(ctx, "it.happened", "here", data, options);
#endif
  co_return receipt{in.id};
});
