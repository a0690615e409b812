// expect: romancy: there is at least 1 attempt
#include "prelude.hpp"

#ifdef WRONG
constexpr auto patient = place.retry(romancy::fixed(100ms).max_attempts(0));
#else
constexpr auto patient = place.retry(romancy::no_retry());
#endif
