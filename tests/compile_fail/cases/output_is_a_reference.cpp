// expect: romancy: return by value: a reference cannot be recorded
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check = romancy::activity("check", [](activity_context&, const order& o) -> const order& { return o; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&, const order& o) -> order { return o; });
#endif
