// expect: romancy: an output must convert to and from nlohmann::json
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver = romancy::workflow("deliver", [](steps&, const order&) -> task<opaque> { co_return opaque{}; });
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](steps&, const order&) -> task<std::optional<receipt> > { co_return std::nullopt; });
#endif
