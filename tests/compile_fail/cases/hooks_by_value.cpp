// expect: no matching (function|constructor)
#include "prelude.hpp"

struct log_hooks : romancy::lifecycle_hooks {};

void f() {
#ifdef WRONG
  romancy::app<simple> app{{.database = "orders.db", .hooks = log_hooks{}}};
#else
  romancy::app<simple> app{{.database = "orders.db", .hooks = std::make_shared<log_hooks>()}};
#endif
}
