// expect: does not have static storage duration|not a constant expression
#include "prelude.hpp"

#ifdef WRONG
void f() {
  constexpr auto local = romancy::activity("local", [](activity_context&, int n) { return n; });
  static_cast<void>(sizeof(romancy::workflow_context<local>));
}
#else
constexpr auto local = romancy::activity("local", [](activity_context&, int n) { return n; });
void f() { static_cast<void>(sizeof(romancy::workflow_context<local>)); }
#endif
