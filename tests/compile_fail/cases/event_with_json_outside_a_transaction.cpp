// expect: romancy: no transaction here: take romancy::activity_context& to send an event
#include "prelude.hpp"

#ifdef WRONG
using context = external_context;
#else
using context = activity_context;
#endif

constexpr auto check = romancy::activity("check", [](context& ctx, const order& in) -> receipt {
  send_event_transactional(ctx, "it.happened", "here", {{"id", in.id}});
  return {in.id};
});
