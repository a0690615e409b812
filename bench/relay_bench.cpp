#include <romancy/romancy.hpp>

#include "actors/cloud_event_encoder.hpp"
#include "bench/measurement.hpp"
#include "bench/raw_curl.hpp"
#include "bench/scratch_databases.hpp"
#include "cli/event_sink.hpp"
#include "storage/migrations.hpp"
#include "storage/outbox_table.hpp"

namespace romancy::bench {

namespace {

event_record event_number(int n) {
  event_record event;
  event.id = "E-" + std::to_string(n);
  event.type = "order.created";
  event.source = "bench";
  event.data = R"({"order_id":"ORD-12345","amount":149.99,"status":"pending","note":")" + std::string(60, 'n') + "\"}";
  event.created_at = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  return event;
}

void fill(const std::string& path, int events) {
  const auto db = database::open(database_url::parse(path), {}, std::chrono::seconds{5});
  static_cast<void>(migrations::apply(*db));
  outbox_table outbox{*db};
  db->begin();
  for (int i = 0; i < events; ++i) outbox.insert(event_number(i));
  db->commit();
}

} // namespace

/// A backlog, delivered: claimed, POSTed, marked. With the default batch of 10, and with 100.
std::vector<measurement> measure_relay(const settings& how) {
  const int events = how.size > 0 ? how.size : 10'000;
  std::vector<measurement> results;
  for (const int batch : {10, 100}) {
    measurement result{
        "relay, batch " + std::to_string(batch), "events/s", "raw libcurl multi, as many in flight", {}, {}};
    for (int run = 0; run < how.runs; ++run) {
      const auto file = how.databases->make();
      fill(file, events);
      const cli::event_sink sink{{}};
      const auto url = "http://127.0.0.1:" + std::to_string(sink.port()) + "/";
      result.baseline_values.push_back(
          raw_posts_per_second(url, encode(event_number(1), content_mode::structured).body, events, how.concurrency));
      relayer_options options;
      options.database = file;
      options.broker_url = url;
      options.batch_size = batch;
      options.max_in_flight = std::max(batch, how.concurrency);
      outbox_relayer relayer{options};
      result.values.push_back(events / seconds([&] {
                                if (!relayer.run_once(std::chrono::minutes{5}))
                                  throw std::runtime_error{"the backlog is not delivered"};
                              }));
    }
    results.push_back(std::move(result));
  }
  return results;
}

} // namespace romancy::bench
