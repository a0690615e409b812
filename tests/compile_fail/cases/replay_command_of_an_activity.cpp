// expect: romancy: replay_command<\.\.\.> lists workflows, those of app<\.\.\.>
#include "prelude.hpp"

std::optional<int> f(int argc, char** argv) {
#ifdef WRONG
  return romancy::replay_command<place>(argc, argv);
#else
  return romancy::replay_command<simple>(argc, argv);
#endif
}
