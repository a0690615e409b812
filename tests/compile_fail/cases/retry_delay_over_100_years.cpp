// expect: romancy: a duration of a retry policy is at most 100 years
#include "prelude.hpp"

#ifdef WRONG
constexpr auto patient = place.retry(romancy::fixed(std::chrono::milliseconds::max()));
#else
constexpr auto patient = place.retry(romancy::fixed(100ms));
#endif
