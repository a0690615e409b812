// Looking at the outbox: pending events, how many events have which status, and what calls for an operator.
//
//   monitoring [example.db]
#include <iostream>
#include <map>
#include <thread>

#include <romancy/romancy.hpp>

#include "cli/event_sink.hpp"

using namespace std::chrono_literals;

constexpr auto announce =
    romancy::workflow("announce", [](romancy::workflow_context<>& ctx, const std::string& offer) -> romancy::task<void> {
      const nlohmann::json data{{"offer", offer}};
      co_await send_event_transactional(ctx, "offer.published", "shop", data);
    });

// [pending]
void print_pending(const romancy::storage& storage) {
  std::cout << "Waiting, the oldest first:\n";
  for (const auto& event : storage.get_pending_outbox_events(10))
    std::cout << "  Event: " << event.event_type << ' ' << event.event_data << ", Status: " << to_string(event.status)
              << '\n';
}
// [/pending]

// [summary]
std::map<std::string, int> count_by_status(const romancy::storage& storage) {
  const auto sql = storage.connect(); // a connection of its own
  std::map<std::string, int> counts;
  std::string status;
  int count = 0;
  soci::statement select = (sql->prepare << "SELECT status, COUNT(*) FROM outbox_events GROUP BY status",
                            soci::into(status), soci::into(count));
  select.execute();
  while (select.fetch()) counts[status] = count;
  return counts;
}
// [/summary]

// [alerts]
void print_summary(std::map<std::string, int> counts) {
  std::cout << "Outbox Status Summary:\n";
  for (const auto* status : {"pending", "published", "failed", "invalid", "expired"})
    std::cout << "  - " << status << ": " << counts[status] << '\n';
  if (counts["invalid"] > 0)
    std::cout << counts["invalid"] << " events marked as invalid (4xx errors)\n"
              << "  -> Check event format, broker authentication, or permissions\n";
  if (counts["expired"] > 0)
    std::cout << counts["expired"] << " events expired due to age\n"
              << "  -> Check broker availability or consider increasing max_age_hours\n";
  if (counts["failed"] > 0)
    std::cout << counts["failed"] << " events failed permanently\n"
              << "  -> Check broker health or network connectivity\n";
}
// [/alerts]

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  const romancy::cli::event_sink broker{{.script = romancy::cli::answer_script::parse("202,400,503")}};
  const auto broker_url = "http://127.0.0.1:" + std::to_string(broker.port()) + "/events";

  romancy::app<announce> app{{.database = database}};
  const auto send = [&](const std::string& offer) { app.start<announce>(offer, romancy::instance_id{offer}).result(); };
  const auto wait_until_none_is_pending = [&] {
    while (count_by_status(app.storage())["pending"] > 0) std::this_thread::sleep_for(5ms);
  };

  romancy::relayer_options options;
  options.storage = app.storage();
  options.broker_url = broker_url;
  options.poll_interval = 20ms;
  options.max_retries = 1;
  romancy::outbox_relayer relayer{options};
  relayer.start();
  for (const auto* offer : {"tea", "pots", "cups"}) { // answered 202, 400 and 503
    send(offer);
    wait_until_none_is_pending();
  }
  relayer.stop();

  options.max_age_hours = 1e-9;
  romancy::outbox_relayer impatient{options};
  impatient.start();
  send("ice"); // is too old when the relayer sees it
  wait_until_none_is_pending();
  impatient.stop();

  send("milk"); // no relayer runs any more
  send("sugar");

  print_pending(app.storage());
  print_summary(count_by_status(app.storage()));
}
