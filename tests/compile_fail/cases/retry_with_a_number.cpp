// expect: no matching (member )?function
#include "prelude.hpp"

#ifdef WRONG
constexpr auto patient = place.retry(5);
#else
constexpr auto patient = place.retry(romancy::exponential(100ms).max_attempts(5));
#endif
