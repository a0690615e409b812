// expect: romancy: a timeout is 1 ms to 100 years
#include "prelude.hpp"

#ifdef WRONG
constexpr auto hurried = place.timeout(0ms);
#else
constexpr auto hurried = place.timeout(1s);
#endif
