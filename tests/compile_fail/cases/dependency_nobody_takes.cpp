// expect: romancy: no activity of this app takes this dependency
#include "prelude.hpp"

#ifdef WRONG
void f(gateway& g, other& o) { romancy::app<flow> app{{.database = "orders.db"}, g, o}; }
#else
void f(gateway& g) { romancy::app<flow> app{{.database = "orders.db"}, g}; }
#endif
