// expect: romancy: app<\.\.\.> lists workflows
#include "prelude.hpp"

void f(const romancy::app_options& options) {
#ifdef WRONG
  romancy::app<place> app{options};
#else
  romancy::app<simple> app{options};
#endif
}
