// expect: no matching (function|constructor)
#include "prelude.hpp"

void f() {
#ifdef WRONG
  romancy::app<simple> app{{.database = "orders.db", .worker_lease = 10}};
#else
  romancy::app<simple> app{{.database = "orders.db", .worker_lease = 10s}};
#endif
}
