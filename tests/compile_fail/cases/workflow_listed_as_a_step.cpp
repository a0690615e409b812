// expect: romancy: the steps of a workflow_context are activities
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver = romancy::workflow(
    "deliver",
    [](romancy::workflow_context<place, simple>&, const order& in) -> task<receipt> { co_return receipt{in.id}; });
#else
constexpr auto deliver = romancy::workflow(
    "deliver", [](romancy::workflow_context<place>&, const order& in) -> task<receipt> { co_return receipt{in.id}; });
#endif
