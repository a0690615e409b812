// expect: no matching (function|constructor)
#include "prelude.hpp"

void f() {
#ifdef WRONG
  romancy::app<simple> app{{.database = "orders.db", .outbox = {.enable = true}}};
#else
  romancy::app<simple> app{{.database = "orders.db", .outbox = {.enabled = true, .broker_url = "http://broker"}}};
#endif
}
