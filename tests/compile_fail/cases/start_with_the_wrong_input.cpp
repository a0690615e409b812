// expect: romancy: an argument does not convert
#include "prelude.hpp"

void f() {
  romancy::app<simple> app{{.database = "orders.db"}};
#ifdef WRONG
  app.start<simple>(receipt{"ORD-1"});
#else
  app.start<simple>(order{"ORD-1"});
  app.start<simple>("ORD-1", 149.99);
#endif
}
