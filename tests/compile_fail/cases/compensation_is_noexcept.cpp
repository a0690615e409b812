// expect: romancy: must not be noexcept
#include "prelude.hpp"

#ifdef WRONG
constexpr auto undoable = place.compensate([](activity_context&, const order&, const receipt&) noexcept {});
#else
constexpr auto undoable = place.compensate([](activity_context&, const order&, const receipt&) {});
#endif
