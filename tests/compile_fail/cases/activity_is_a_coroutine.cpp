// expect: romancy: an activity is not a coroutine
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check =
    romancy::activity("check", [](activity_context&, const order& o) -> task<receipt> { co_return receipt{o.id}; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&, const order& o) -> receipt { return {o.id}; });
#endif
