// expect: romancy: a workflow returns romancy::task<Output>
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver = romancy::workflow("deliver", [](steps&, const order& in) -> receipt { return {in.id}; });
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](steps&, const order& in) -> task<receipt> { co_return receipt{in.id}; });
#endif
