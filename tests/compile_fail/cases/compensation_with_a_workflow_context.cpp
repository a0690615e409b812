// expect: romancy: a compensation takes romancy::activity_context&
#include "prelude.hpp"

#ifdef WRONG
constexpr auto undoable = place.compensate([](steps&, const order&, const receipt&) {});
#else
constexpr auto undoable = place.compensate([](activity_context&, const order&, const receipt&) {});
#endif
