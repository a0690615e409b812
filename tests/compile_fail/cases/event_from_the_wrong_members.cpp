// expect: romancy: these are not the members of the event
#include "prelude.hpp"

constexpr auto check = romancy::activity("check", [](activity_context& ctx, const order& in) -> receipt {
#ifdef WRONG
  send_event_transactional<happened>(ctx, in.id, 7);
#else
  send_event_transactional<happened>(ctx, in.id);
#endif
  return {in.id};
});
