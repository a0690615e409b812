// expect: romancy: write the name as a literal
#include "prelude.hpp"

receipt check_order(activity_context&, const order&);
const std::string name = "check";

#ifdef WRONG
const auto check = romancy::activity(name, check_order);
#else
const auto check = romancy::activity("check", check_order);
#endif
