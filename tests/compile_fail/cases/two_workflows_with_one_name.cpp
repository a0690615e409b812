// expect: romancy: two workflows of this app share a name
#include "prelude.hpp"

#ifdef WRONG
constexpr auto second =
    romancy::workflow("simple", [](romancy::workflow_context<>&, int n) -> task<int> { co_return n; });
#else
constexpr auto second =
    romancy::workflow("second", [](romancy::workflow_context<>&, int n) -> task<int> { co_return n; });
#endif

romancy::app<simple, second> app{{.database = "orders.db"}};
