// expect: romancy: an input must convert to and from nlohmann::json and own its data
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check = romancy::activity(
    "check", [](activity_context&, const std::map<std::string, std::string_view>&) -> int { return 1; });
#else
constexpr auto check =
    romancy::activity("check", [](activity_context&, const std::map<std::string, std::string>&) -> int { return 1; });
#endif
