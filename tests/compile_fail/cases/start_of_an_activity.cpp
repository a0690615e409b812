// expect: romancy: this app does not serve the workflow
#include "prelude.hpp"

void f(const order& o) {
  romancy::app<simple> app{{.database = "orders.db"}};
#ifdef WRONG
  app.start<place>(o);
#else
  app.start<simple>(o);
#endif
}
