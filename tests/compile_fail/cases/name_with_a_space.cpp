// expect: romancy: a name has only a-z
#include "prelude.hpp"

receipt check_order(activity_context&, const order&);

#ifdef WRONG
constexpr auto check = romancy::activity("check order", check_order);
#else
constexpr auto check = romancy::activity("check_order.v2", check_order);
#endif
