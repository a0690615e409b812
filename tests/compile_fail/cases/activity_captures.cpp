// expect: romancy: must not capture
#include "prelude.hpp"

#ifdef WRONG
auto make(int n) {
  return romancy::activity("check", [n](activity_context&, int m) -> int { return n + m; });
}
#else
auto make() {
  return romancy::activity("check", [](activity_context&, int n, int m) -> int { return n + m; });
}
#endif
