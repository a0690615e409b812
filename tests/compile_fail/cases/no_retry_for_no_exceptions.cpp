// expect: romancy: name the exceptions: non_retryable<
#include "prelude.hpp"

#ifdef WRONG
constexpr auto patient = place.retry(romancy::fixed(100ms).non_retryable<>());
#else
constexpr auto patient = place.retry(romancy::fixed(100ms).non_retryable<std::runtime_error>());
#endif
