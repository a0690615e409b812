// expect: romancy: write the name as a literal
#include "prelude.hpp"

receipt check_order(activity_context&, const order&);
constexpr std::string_view name = "check";

#ifdef WRONG
constexpr auto check = romancy::activity(name, check_order);
#else
constexpr auto check = romancy::activity("check", check_order);
#endif
