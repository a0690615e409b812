// expect: romancy: must not be noexcept
#include "prelude.hpp"

#ifdef WRONG
receipt check_order(activity_context&, const order&) noexcept;
#else
receipt check_order(activity_context&, const order&);
#endif

constexpr auto check = romancy::activity("check", check_order);
