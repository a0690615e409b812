// expect: romancy: an input must convert to and from nlohmann::json and own its data
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check = romancy::activity("check", [](activity_context&, std::span<const int>) -> int { return 1; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&, const std::vector<int>&) -> int { return 1; });
#endif
