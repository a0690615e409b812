// expect: romancy: an input must convert to and from nlohmann::json and own its data
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check =
    romancy::activity("check", [](activity_context&, std::optional<std::string_view>) -> int { return 1; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&, std::optional<std::string>) -> int { return 1; });
#endif
