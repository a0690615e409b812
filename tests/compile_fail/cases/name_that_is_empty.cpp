// expect: romancy: a name must not be empty
#include "prelude.hpp"

receipt check_order(activity_context&, const order&);

#ifdef WRONG
constexpr auto check = romancy::activity("", check_order);
#else
constexpr auto check = romancy::activity("check", check_order);
#endif
