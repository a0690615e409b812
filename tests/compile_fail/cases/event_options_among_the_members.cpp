// expect: romancy: these are not the members of the event
#include "prelude.hpp"

constexpr auto check = romancy::activity("check", [](activity_context& ctx, const order& in) -> receipt {
#ifdef WRONG
  send_event_transactional<happened>(ctx, in.id, romancy::event_options{}.id("event-1"));
#else
  send_event_transactional(ctx, happened{in.id}, romancy::event_options{}.id("event-1").content_type("application/json"));
#endif
  return {in.id};
});
