// expect: romancy: must not capture
#include "prelude.hpp"

#ifdef WRONG
auto make(int days) {
  return romancy::workflow("deliver", [days](steps&, const order&) -> task<int> { co_return days; });
}
#else
auto make() {
  return romancy::workflow("deliver", [](steps&, const order&, int days) -> task<int> { co_return days; });
}
#endif
