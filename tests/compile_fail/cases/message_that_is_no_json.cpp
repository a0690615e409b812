// expect: romancy: the data of a message converts to nlohmann::json
#include "prelude.hpp"

#ifdef WRONG
struct opaque {};
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      const opaque data;
      co_await ctx.publish("news", data);
      co_return receipt{in.id};
    });
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      co_await ctx.publish("news", in.id);
      co_return receipt{in.id};
    });
#endif
