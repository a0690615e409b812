// expect: romancy: a backoff coefficient is 1 to 1e6
#include "prelude.hpp"

#ifdef WRONG
constexpr auto patient = place.retry(romancy::exponential(100ms).backoff_coefficient(0.5));
#else
constexpr auto patient = place.retry(romancy::exponential(100ms).backoff_coefficient(1.5));
#endif
