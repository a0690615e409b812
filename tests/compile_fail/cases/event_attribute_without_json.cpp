// expect: cannot convert|no viable conversion
#include "prelude.hpp"

constexpr auto check = romancy::activity("check", [](activity_context& ctx, const order& in) -> receipt {
#ifdef WRONG
  send_event_transactional(ctx, happened{in.id}, romancy::event_options{}.attribute("key", opaque{}));
#else
  send_event_transactional(ctx, happened{in.id}, romancy::event_options{}.attribute("key", in.id).attribute("count", 1));
#endif
  return {in.id};
});
