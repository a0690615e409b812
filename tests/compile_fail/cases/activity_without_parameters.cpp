// expect: romancy: the first parameter of an activity
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check = romancy::activity("check", []() -> receipt { return {}; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&) -> receipt { return {}; });
#endif
