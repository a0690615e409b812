// expect: romancy: this activity has a compensation already
#include "prelude.hpp"

void cancel(activity_context&, const order&, const receipt&);

#ifdef WRONG
constexpr auto undoable = place.compensate(cancel).compensate(cancel);
#else
constexpr auto undoable = place.compensate(cancel).retry(romancy::no_retry());
#endif
