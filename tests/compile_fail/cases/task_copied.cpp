// expect: deleted
#include "prelude.hpp"

#ifdef WRONG
task<int> twice(task<int> work) {
  auto copy = work;
  co_return co_await copy;
}
#else
task<int> twice(task<int> work) {
  auto moved = std::move(work);
  co_return co_await moved;
}
#endif
