// expect: romancy: the first parameter of a workflow
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver = romancy::workflow("deliver", []() -> task<receipt> { co_return receipt{}; });
#else
constexpr auto deliver = romancy::workflow("deliver", [](steps&) -> task<receipt> { co_return receipt{}; });
#endif
