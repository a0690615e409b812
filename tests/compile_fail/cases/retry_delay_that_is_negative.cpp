// expect: romancy: a duration of a retry policy is not negative
#include "prelude.hpp"

#ifdef WRONG
constexpr auto patient = place.retry(romancy::fixed(-100ms));
#else
constexpr auto patient = place.retry(romancy::fixed(100ms));
#endif
