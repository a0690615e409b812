// expect: romancy: no transaction here: take romancy::activity_context& to send an event
#include "prelude.hpp"

#ifdef WRONG
using context = external_context;
#else
using context = activity_context;
#endif

constexpr auto check = romancy::activity("check", [](context& ctx, const order& in) -> receipt {
  send_event_transactional(ctx, happened{in.id}, romancy::event_options{}.id("event-1"));
  return {in.id};
});
