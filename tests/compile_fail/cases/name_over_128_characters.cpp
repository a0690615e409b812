// expect: romancy: a name has at most 128 characters
#include "prelude.hpp"

receipt check_order(activity_context&, const order&);
#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A128 A32 A32 A32 A32

#ifdef WRONG
constexpr auto check = romancy::activity(A128 "a", check_order);
#else
constexpr auto check = romancy::activity(A128, check_order);
#endif
