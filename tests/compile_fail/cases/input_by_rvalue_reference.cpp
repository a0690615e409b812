// expect: romancy: take an input by value or by const&
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check = romancy::activity("check", [](activity_context&, order&& o) -> receipt { return {o.id}; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&, order o) -> receipt { return {o.id}; });
#endif
