// expect: romancy: two arguments of romancy::app fit one dependency
#include "prelude.hpp"

#ifdef WRONG
void f(gateway& g, fake_gateway& fake) { romancy::app<flow> app{{.database = "orders.db"}, g, fake}; }
#else
void f(fake_gateway& fake) { romancy::app<flow> app{{.database = "orders.db"}, fake}; }
#endif
