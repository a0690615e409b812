// expect: romancy: an output must convert to and from nlohmann::json and own its data
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check =
    romancy::activity("check", [](activity_context&, const order& o) -> std::string_view { return o.id; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&, const order& o) -> std::string { return o.id; });
#endif
