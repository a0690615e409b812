// expect: a dependency is a non-const reference
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check =
    romancy::activity("check", [](activity_context&, const order& o, const gateway&) -> receipt { return {o.id}; });
#else
constexpr auto check =
    romancy::activity("check", [](activity_context&, const order& o, gateway&) -> receipt { return {o.id}; });
#endif
