// expect: romancy: a compensation takes \(context&, inputs\.\.\., const output&
#include "prelude.hpp"

#ifdef WRONG
constexpr auto undoable = place.compensate([](activity_context&, const order&, const std::string&) {});
#else
constexpr auto undoable = place.compensate([](activity_context&, const order&, const receipt&) {});
#endif
