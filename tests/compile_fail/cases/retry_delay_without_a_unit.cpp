// expect: could not convert|no viable conversion
#include "prelude.hpp"

#ifdef WRONG
constexpr auto patient = place.retry(romancy::fixed(100));
#else
constexpr auto patient = place.retry(romancy::fixed(100ms));
#endif
