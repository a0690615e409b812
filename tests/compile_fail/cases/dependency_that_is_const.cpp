// expect: romancy: a dependency of an activity is missing
#include "prelude.hpp"

#ifdef WRONG
void f(const gateway& g) {
#else
void f(gateway& g) {
#endif
  romancy::app<flow> app{{.database = "orders.db"}, g};
}
