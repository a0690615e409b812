// expect: no matching (member )?function.*timeout
#include "prelude.hpp"

#ifdef WRONG
constexpr auto hurried = place.timeout(30);
#else
constexpr auto hurried = place.timeout(30s);
#endif
