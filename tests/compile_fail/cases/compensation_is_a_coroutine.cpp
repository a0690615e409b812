// expect: romancy: a compensation returns void
#include "prelude.hpp"

#ifdef WRONG
constexpr auto undoable = place.compensate([](activity_context&, const order&, const receipt&) -> task<> { co_return; });
#else
constexpr auto undoable = place.compensate([](activity_context&, const order&, const receipt&) {});
#endif
