// expect: romancy: pass a function or a lambda whose parameter types are spelled out
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver =
    romancy::workflow("deliver", [](auto&, const order& in) -> task<receipt> { co_return receipt{in.id}; });
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](steps&, const order& in) -> task<receipt> { co_return receipt{in.id}; });
#endif
