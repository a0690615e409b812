// expect: romancy: an input must convert to and from nlohmann::json and own its data
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check = romancy::activity("check", [](activity_context&, const opaque&) -> receipt { return {}; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&, const order& o) -> receipt { return {o.id}; });
#endif
