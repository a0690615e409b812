// expect: romancy: pass a function or a lambda whose parameter types are spelled out
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check = romancy::activity("check", [](activity_context&, const auto& o) -> receipt { return {o.id}; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&, const order& o) -> receipt { return {o.id}; });
#endif
