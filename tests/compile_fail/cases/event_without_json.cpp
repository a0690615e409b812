// expect: romancy: an event has .static constexpr auto event_type
#include "prelude.hpp"

constexpr auto check = romancy::activity("check", [](activity_context& ctx, const order& in) -> receipt {
#ifdef WRONG
  send_event_transactional(ctx, opaque_event{1});
#else
  send_event_transactional(ctx, happened{in.id});
#endif
  return {in.id};
});
