// expect: romancy: an output must convert to and from nlohmann::json
#include "prelude.hpp"

#ifdef WRONG
constexpr auto check =
    romancy::activity("check", [](activity_context&, const order&) -> std::optional<opaque> { return std::nullopt; });
#else
constexpr auto check =
    romancy::activity("check", [](activity_context&, const order&) -> std::optional<receipt> { return std::nullopt; });
#endif
