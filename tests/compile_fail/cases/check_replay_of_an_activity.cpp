// expect: romancy: check_replay<\.\.\.> lists workflows, those of app<\.\.\.>
#include "prelude.hpp"

bool f(const romancy::replay_options& options) {
#ifdef WRONG
  return romancy::check_replay<place>(options).fits();
#else
  return romancy::check_replay<simple>(options).fits();
#endif
}
