// expect: romancy: a workflow takes inputs only
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver =
    romancy::workflow("deliver", [](steps&, const order& in, gateway&) -> task<receipt> { co_return receipt{in.id}; });
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](steps&, const order& in) -> task<receipt> { co_return receipt{in.id}; });
#endif
