// expect: romancy: name the exceptions: retryable<
#include "prelude.hpp"

#ifdef WRONG
constexpr auto patient = place.retry(romancy::fixed(100ms).retryable<>());
#else
constexpr auto patient = place.retry(romancy::fixed(100ms).retryable<std::runtime_error>());
#endif
