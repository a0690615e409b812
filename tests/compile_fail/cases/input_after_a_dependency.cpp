// expect: romancy: inputs come before dependencies
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check =
    romancy::activity("check", [](activity_context&, gateway&, const order& o) -> receipt { return {o.id}; });
#else
constexpr auto check =
    romancy::activity("check", [](activity_context&, const order& o, gateway&) -> receipt { return {o.id}; });
#endif
