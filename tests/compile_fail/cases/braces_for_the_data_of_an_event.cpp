// expect: romancy: no braces inside co_await
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await send_event_transactional(ctx, "it.happened", "here", {{"id", in.id}, {"n", 1}});
#else
  const nlohmann::json data{{"id", in.id}, {"n", 1}};
  co_await send_event_transactional(ctx, "it.happened", "here", data);
#endif
  co_return receipt{in.id};
});
