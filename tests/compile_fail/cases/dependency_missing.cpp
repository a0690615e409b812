// expect: romancy: a dependency of an activity is missing
#include "prelude.hpp"

#ifdef WRONG
void f() { romancy::app<flow> app{{.database = "orders.db"}}; }
#else
void f(gateway& g) { romancy::app<flow> app{{.database = "orders.db"}, g}; }
#endif
