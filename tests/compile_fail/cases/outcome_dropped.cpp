// expect: romancy: look at the outcome, or use call, which throws
#include "prelude.hpp"

romancy::outcome<receipt> placed();

#ifdef WRONG
void f() { placed(); }
#else
bool f() { return placed().has_value(); }
#endif
