// expect: deleted
#include "prelude.hpp"

void f() {
  romancy::app<simple> app{{.database = "orders.db"}};
#ifdef WRONG
  auto copy = app;
#else
  auto& same = app;
#endif
}
