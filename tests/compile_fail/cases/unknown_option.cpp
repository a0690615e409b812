// expect: no matching (function|constructor)
#include "prelude.hpp"

void f() {
#ifdef WRONG
  romancy::app<simple> app{{.databse = "orders.db"}};
#else
  romancy::app<simple> app{{.database = "orders.db",
                            .worker_id = "worker-1",
                            .service_name = "order-service",
                            .outbox = {.enabled = true, .broker_url = "http://broker"}}};
#endif
}
