// expect: romancy: an activity with an external_context has no transaction: it takes no isolation level
#include "prelude.hpp"

#ifdef WRONG
constexpr auto isolated =
    romancy::activity("isolated", [](romancy::external_context&) {}).isolation(romancy::isolation_level::serializable);
#else
constexpr auto isolated =
    romancy::activity("isolated", [](romancy::activity_context&) {}).isolation(romancy::isolation_level::serializable);
#endif
