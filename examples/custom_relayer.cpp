// A relayer of its own, with options of its own, on the storage of an app that does not relay.
//
//   custom_relayer [example.db]
#include <iostream>
#include <set>
#include <thread>

#include <romancy/romancy.hpp>

#include "cli/event_sink.hpp"

using namespace std::chrono_literals;

constexpr auto create_order = romancy::workflow(
    "create_order", [](romancy::workflow_context<>& ctx, const std::string& order_id) -> romancy::task<void> {
      const nlohmann::json data{{"order_id", order_id}};
      co_await send_event_transactional(ctx, "order.created", "order-service", data);
    });

void print_status(const romancy::storage& storage) {
  for (const auto& [status, count] : storage.get_outbox_status_counts())
    if (count > 0) std::cout << to_string(status) << ": " << count << '\n';
}

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  std::set<std::string> received; // by one thread of the sink
  {
    const romancy::cli::event_sink broker{
        {.on_event = [&](const romancy::cloud_event& event) { received.insert(event.type + ' ' + event.data.dump()); }}};
    const auto broker_url = "http://127.0.0.1:" + std::to_string(broker.port()) + "/events";

    romancy::app<create_order> app{{.database = database}}; // .outbox is not enabled
    for (const std::string id : {"ORD-1", "ORD-2", "ORD-3"})
      app.start<create_order>(id, romancy::instance_id{id}).result();
    print_status(app.storage());

    // [relayer]
    romancy::relayer_options options;
    options.storage = app.storage();
    options.broker_url = broker_url;
    options.poll_interval = 2s; // look every 2 seconds, try an event again after 2 seconds
    options.max_retries = 5;    // send an event at most 5 times
    options.batch_size = 20;    // claim 20 events at once
    options.max_age_hours = 24; // expire events older than 24 hours
    romancy::outbox_relayer relayer{options};

    relayer.start();
    // [/relayer]
    while (app.storage().get_outbox_status_counts().at(romancy::outbox_status::pending) > 0)
      std::this_thread::sleep_for(10ms);
    // [stop]
    relayer.stop(); // waits for the requests that are on the wire
    // [/stop]
    print_status(app.storage());
  }
  for (const auto& line : received) std::cout << line << '\n';
}
