// expect: romancy: the steps of a workflow_context are activities and workflows
#include "prelude.hpp"

#ifdef WRONG
constexpr int seven = 7;
constexpr auto deliver = romancy::workflow(
    "deliver",
    [](romancy::workflow_context<place, seven>&, const order& in) -> task<receipt> { co_return receipt{in.id}; });
#else
constexpr auto deliver = romancy::workflow(
    "deliver", [](romancy::workflow_context<place>&, const order& in) -> task<receipt> { co_return receipt{in.id}; });
#endif
