// expect: romancy: jitter is a fraction from 0 to 1
#include "prelude.hpp"

#ifdef WRONG
constexpr auto patient = place.retry(romancy::fixed(100ms).jitter(20));
#else
constexpr auto patient = place.retry(romancy::fixed(100ms).jitter(0.2));
#endif
