// expect: no matching (function|constructor)
#include "prelude.hpp"

void f() {
  romancy::app<simple> app{{.database = "orders.db"}};
#ifdef WRONG
  romancy::outbox_relayer relayer{app.storage()};
#else
  romancy::relayer_options options;
  options.storage = app.storage();
  options.broker_url = "http://broker";
  romancy::outbox_relayer relayer{options};
#endif
}
