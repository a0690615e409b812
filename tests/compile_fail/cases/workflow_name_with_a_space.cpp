// expect: romancy: a name has only a-z
#include "prelude.hpp"

task<receipt> run(steps&, const order&);

#ifdef WRONG
constexpr auto deliver = romancy::workflow("deliver order", run);
#else
constexpr auto deliver = romancy::workflow("deliver_order", run);
#endif
