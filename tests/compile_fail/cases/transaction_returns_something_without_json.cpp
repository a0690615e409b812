// expect: romancy: an output must convert to and from nlohmann::json
#include "prelude.hpp"

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await ctx.transaction([&](activity_context&) { return opaque(); });
#else
  co_await ctx.transaction([&](activity_context&) { return std::optional<receipt>(); });
#endif
  co_return receipt{in.id};
});
