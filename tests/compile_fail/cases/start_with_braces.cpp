// expect: no matching (member )?function
#include "prelude.hpp"

void f() {
  romancy::app<simple> app{{.database = "orders.db"}};
#ifdef WRONG
  app.start<simple>({"ORD-1", 149.99});
#else
  app.start<simple>(order{"ORD-1", 149.99});
#endif
}
