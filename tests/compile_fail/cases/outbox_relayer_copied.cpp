// expect: deleted
#include "prelude.hpp"

void f(romancy::outbox_relayer& relayer) {
#ifdef WRONG
  auto copy = relayer;
#else
  auto& same = relayer;
#endif
}
