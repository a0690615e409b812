// expect: no matching (member )?function
#include "prelude.hpp"

void f(const order& o) {
  romancy::app<simple> app{{.database = "orders.db"}};
#ifdef WRONG
  app.start<simple>(o).result(5);
#else
  app.start<simple>(o).result(5s);
#endif
}
