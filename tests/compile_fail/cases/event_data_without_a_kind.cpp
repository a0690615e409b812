// expect: no matching (constructor|function)|calling a private constructor
#include "prelude.hpp"

constexpr auto check = romancy::activity("check", [](activity_context& ctx, const order& in) -> receipt {
#ifdef WRONG
  send_event_transactional(ctx, "it.happened", "here", romancy::event_data{"<it/>", "text/xml"});
#else
  send_event_transactional(ctx, "it.happened", "here", romancy::event_data::text("<it/>", "text/xml"));
  send_event_transactional(ctx, "it.happened", "here", romancy::event_data::bytes("\x89PNG", "image/png"));
#endif
  return {in.id};
});
