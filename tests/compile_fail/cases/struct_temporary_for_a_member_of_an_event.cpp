// expect: romancy: no aggregate temporary inside co_await
#include "prelude.hpp"

struct placed {
  static constexpr auto event_type = "order.placed";
  order what;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(placed, what)

constexpr auto deliver = romancy::workflow("deliver", [](steps& ctx, const order& in) -> task<receipt> {
#ifdef WRONG
  co_await send_event_transactional<placed>(ctx, order{in.id, 1.0});
#else
  co_await send_event_transactional<placed>(ctx, in);
#endif
  co_return receipt{in.id};
});
