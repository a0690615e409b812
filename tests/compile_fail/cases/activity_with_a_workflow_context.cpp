// expect: romancy: the first parameter of an activity
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check = romancy::activity("check", [](steps&, const order& o) -> receipt { return {o.id}; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&, const order& o) -> receipt { return {o.id}; });
#endif
