// expect: romancy: an input must convert to and from nlohmann::json and own its data
#include "prelude.hpp"

#ifdef WRONG
constexpr auto deliver =
    romancy::workflow("deliver", [](steps&, const opaque&) -> task<receipt> { co_return receipt{}; });
#else
constexpr auto deliver =
    romancy::workflow("deliver", [](steps&, const std::optional<order>&) -> task<receipt> { co_return receipt{}; });
#endif
