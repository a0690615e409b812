// expect: romancy: must not capture
#include "prelude.hpp"

#ifdef WRONG
auto make(gateway& g) {
  return place.compensate([&g](activity_context&, const order&, const receipt& r) { g.refund(r); });
}
#else
auto make() {
  return place.compensate([](activity_context&, const order&, const receipt& r, gateway& g) { g.refund(r); });
}
#endif
