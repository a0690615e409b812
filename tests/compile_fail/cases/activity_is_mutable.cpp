// expect: romancy: must not be mutable
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check =
    romancy::activity("check", [](activity_context&, const order& o) mutable -> receipt { return {o.id}; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&, const order& o) -> receipt { return {o.id}; });
#endif
