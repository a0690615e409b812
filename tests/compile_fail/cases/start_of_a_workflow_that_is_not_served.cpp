// expect: romancy: this app does not serve the workflow
#include "prelude.hpp"

void f(gateway& g, const order& o) {
  romancy::app<flow> app{{.database = "orders.db"}, g};
#ifdef WRONG
  app.start<simple>(o);
#else
  app.start<flow>(o);
#endif
}
