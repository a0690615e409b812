// expect: romancy: an output must convert to and from nlohmann::json
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check = romancy::activity("check", [](activity_context&, const order&) -> opaque { return {}; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&, const order&) -> receipt { return {}; });
#endif
