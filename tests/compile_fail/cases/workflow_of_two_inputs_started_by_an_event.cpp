// expect: romancy: a workflow that an event starts takes one input, the data of the event
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>&, const order& in, int) -> task<receipt> {
      co_return receipt{in.id};
    }).started_by("it.happened", "id");
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](romancy::workflow_context<place>&, const order& in) -> task<receipt> {
      co_return receipt{in.id};
    }).started_by("it.happened", "id");
#endif
