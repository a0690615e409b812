// expect: romancy: wrong number of inputs
#include "prelude.hpp"

void f(const order& o) {
  romancy::app<simple> app{{.database = "orders.db"}};
#ifdef WRONG
  app.start<simple>(o, "ORD-1");
#else
  app.start<simple>(o, romancy::instance_id{"ORD-1"});
#endif
}
