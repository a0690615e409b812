// expect: romancy: this app does not serve the workflow
#include "prelude.hpp"

void f(gateway& g) {
  romancy::app<flow> app{{.database = "orders.db"}, g};
#ifdef WRONG
  app.find<simple>("ORD-1");
#else
  app.find<flow>("ORD-1");
#endif
}
