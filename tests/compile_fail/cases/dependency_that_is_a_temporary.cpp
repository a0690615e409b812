// expect: romancy: a dependency must outlive the app
#include "prelude.hpp"

void f() {
#ifdef WRONG
  romancy::app<flow> app{{.database = "orders.db"}, gateway{}};
#else
  gateway g;
  romancy::app<flow> app{{.database = "orders.db"}, g};
#endif
}
