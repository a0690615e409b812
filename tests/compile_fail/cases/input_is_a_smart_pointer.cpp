// expect: romancy: an input must convert to and from nlohmann::json and own its data
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check =
    romancy::activity("check", [](activity_context&, const std::shared_ptr<order>&) -> int { return 1; });
#else
constexpr auto check = romancy::activity("check", [](activity_context&, const order&) -> int { return 1; });
#endif
