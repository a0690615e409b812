// expect: romancy: capture by reference
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
  const std::string id = in.id;
#ifdef WRONG
  co_await ctx.transaction([id](activity_context& tx) { send_event_transactional(tx, happened{id}); });
#else
  co_await ctx.transaction([&](activity_context& tx) { send_event_transactional(tx, happened{id}); });
#endif
  co_return receipt{in.id};
});
