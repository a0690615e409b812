#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <thread>

#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "storage/storage_failure.hpp"
#include "storage/timestamp.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/database_view.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/test_database.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

std::string quoted(const texts& ids) {
  std::string list;
  for (const auto& id : ids) list += (list.empty() ? "'" : ", '") + id + '\'';
  return list;
}

/// Processes on one host: one that is stopped is still there, so only its lease says that it is silent.
class Lease : public on_every_database {
protected:
  temporary_directory directory;
  std::string gate = directory.file("gate");
  database_view outside{fresh.url()};

  Lease() {
    static_cast<void>(migrations::apply(*database::open(url, {}, 30s)));
    outside.run("CREATE TABLE orders (order_id VARCHAR(255) PRIMARY KEY)");
    outside.run("CREATE TABLE shipments (order_id VARCHAR(255) PRIMARY KEY)");
  }
  bool on_sqlite() const { return is(database_url::backend::sqlite3); }
  /// With rows in a transaction that waits, where others can write meanwhile.
  texts orders_of_all_kinds() const {
    texts ids{"LABEL-1", "LABEL-2", "SHIP-1", "SHIP-2"};
    if (!on_sqlite()) ids.insert(ids.end(), {"HOLD-1", "HOLD-2"});
    return ids;
  }
  /// Nobody owns it yet.
  void start_order(const std::string& id) {
    outside.run("INSERT INTO workflow_instances (instance_id, workflow_name, input_data, started_at) VALUES ('" + id +
                "', 'serve', '[\"" + id + "\"]', '2026-01-01 00:00:00')");
  }
  void open_gate() const { std::ofstream{gate} << "open"; }
  child_process worker(const event_log& broker, const std::string& name) const {
    return child_process{{gated_worker_program, fresh.url(), broker.url(), name, "1s", gate}, directory.file(name)};
  }
  std::string epoch_of(const std::string& worker) {
    const auto epochs = outside.rows("SELECT epoch FROM worker_epochs WHERE worker_id = '" + worker + '\'');
    return epochs.size() == 1 ? epochs.front() : "";
  }
  /// Stopped while it holds SQLite's write lock, it would keep everybody from writing.
  void stop(child_process& process) {
    if (!on_sqlite()) return process.stop();
    const auto prober = database::open(url, {.busy_timeout = std::chrono::milliseconds{20}}, 30s);
    for (;;) try {
        process.stop();
        prober->begin();
        prober->roll_back();
        return;
      } catch (const storage_failure& e) {
        if (!e.retryable()) throw;
        process.signal(SIGCONT);
      }
  }
  /// All that matters of these orders.
  texts rows_of(const texts& orders) {
    const auto in = " IN (" + quoted(orders) + ") ORDER BY 1, 2, 3";
    const std::vector<std::pair<std::string, int>> selects{
        {"SELECT 'order', order_id, 0 FROM orders WHERE order_id", 2},
        {"SELECT 'shipment', order_id, 0 FROM shipments WHERE order_id", 2},
        {"SELECT instance_id, status, fence, finished_at FROM workflow_instances WHERE instance_id", 4},
        {"SELECT instance_id, id, activity_id, attempts, created_at FROM workflow_history WHERE instance_id", 5},
        {"SELECT event_id, event_type, status, retry_count, published_at FROM outbox_events WHERE instance_id", 5}};
    texts all;
    for (const auto& [select, columns] : selects)
      for (auto& row : outside.rows(select + in, columns)) all.push_back(std::move(row));
    return all;
  }
  static std::size_t ships(const texts& orders) {
    return static_cast<std::size_t>(
        std::count_if(orders.begin(), orders.end(), [](const auto& id) { return !id.starts_with("LABEL"); }));
  }
  /// Events of orders that are served.
  static std::size_t events(const texts& orders) { return 2 * orders.size() + ships(orders); }
  static std::size_t rows(const texts& orders) { return 5 * orders.size() + ships(orders) + events(orders); }
};

TEST_P(Lease, DecidesAboutAStoppedProcessWhichThenCommitsNothingOfWhatItHadBegun) {
  const auto ids = orders_of_all_kinds();
  const auto all = static_cast<long long>(ids.size());
  for (const auto& id : ids) start_order(id);
  std::string deafness = "hang";
  for (std::size_t i = 1; i < ids.size(); ++i) deafness += ",hang";
  event_log deaf{cli::answer_script::parse(deafness)};
  event_log broker;

  // Stopped in the middle of all kinds of steps, with events on the wire.
  auto first = worker(deaf, "first");
  for (const auto& id : ids) ASSERT_TRUE(first.says("waiting " + id)) << first.output();
  ASSERT_TRUE(deaf.wait_for(ids.size(), 30s)) << first.output();
  stop(first);
  const auto epoch = epoch_of("first");
  ASSERT_FALSE(epoch.empty());
  const auto of_first = "'" + epoch + "'";
  const auto expires_at = outside.rows("SELECT expires_at FROM worker_epochs").front();
  ASSERT_EQ(outside.number("SELECT count(*) FROM workflow_instances WHERE owner_epoch = " + of_first), all);
  ASSERT_EQ(outside.number("SELECT count(*) FROM outbox_events WHERE locked_by = " + of_first), all);

  // Another one takes over, but not before the lease has run out.
  open_gate();
  auto second = worker(broker, "second");
  ASSERT_TRUE(outside.becomes("SELECT count(*) FROM worker_epochs WHERE epoch = " + of_first, 0)) << second.output();
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  EXPECT_GT(to_text(now), expires_at);
  ASSERT_TRUE(outside.becomes("SELECT count(*) FROM workflow_instances WHERE status = 'completed'", all))
      << second.output();
  ASSERT_TRUE(outside.becomes("SELECT count(*) FROM outbox_events WHERE status <> 'published'", 0)) << second.output();
  EXPECT_NE(second.output().find("taken over what 1 dead worker(s) left behind"), std::string::npos) << second.output();
  second.signal(SIGTERM);
  EXPECT_EQ(second.wait(), 0) << second.output();
  const auto served = rows_of(ids);
  EXPECT_EQ(served.size(), rows(ids));
  EXPECT_EQ(broker.size(), events(ids));
  EXPECT_EQ(broker.accepted().size(), events(ids));

  // It goes on where it stood, is refused, and says so.
  first.signal(SIGCONT);
  for (const auto& id : ids) EXPECT_TRUE(first.says("through " + id)) << first.output();
  EXPECT_TRUE(first.says("this worker was silent for longer than its lease of 1000 ms")) << first.output();
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM worker_epochs WHERE worker_id = 'first' AND epoch <> " + of_first, 1))
      << first.output();
  EXPECT_EQ(rows_of(ids), served);

  // It works on under its new epoch.
  start_order("SHIP-3");
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM workflow_instances WHERE status = 'completed'", all + 1))
      << first.output();
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM outbox_events WHERE status <> 'published'", 0)) << first.output();
  EXPECT_EQ(outside.number("SELECT count(*) FROM worker_epochs WHERE epoch = " + of_first), 0);
  EXPECT_EQ(rows_of({"SHIP-3"}).size(), rows({"SHIP-3"}));
  EXPECT_EQ(deaf.accepted().size(), 3U);
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait(), 0) << first.output();
  EXPECT_EQ(rows_of(ids), served); // also when all that it had begun has ended
  EXPECT_EQ(outside.number("SELECT count(*) FROM worker_epochs"), 0);
}

TEST_P(Lease, IsRenewedWhileActivitiesTakeLongerWhichNobodyElseBegins) {
  const auto ids = orders_of_all_kinds();
  for (const auto& id : ids) start_order(id);
  event_log broker;
  auto first = worker(broker, "first");
  for (const auto& id : ids) ASSERT_TRUE(first.says("waiting " + id)) << first.output();
  auto second = worker(broker, "second");
  ASSERT_TRUE(outside.becomes("SELECT count(*) FROM worker_epochs", 2)) << second.output();

  // Until the second one has lived for three leases, at each end of which it could have judged.
  const auto expires_at = [&] {
    const auto found = outside.rows("SELECT expires_at FROM worker_epochs WHERE worker_id = 'second'");
    return found.empty() ? time_point{} : to_time_point(found.front());
  };
  const auto three_leases_later = expires_at() + 3s;
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (expires_at() < three_leases_later && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
  ASSERT_GE(expires_at(), three_leases_later) << second.output();

  open_gate();
  ASSERT_TRUE(outside.becomes("SELECT count(*) FROM workflow_instances WHERE status = 'completed'",
                              static_cast<long long>(ids.size())))
      << first.output();
  EXPECT_EQ(second.output().find("waiting"), std::string::npos) << second.output();
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances WHERE fence <> 1"), 0);
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_history WHERE attempts <> 1"), 0);
  EXPECT_EQ(rows_of(ids).size(), rows(ids));
  for (auto* process : {&first, &second}) {
    EXPECT_EQ(process->output().find("silent"), std::string::npos) << process->output();
    process->signal(SIGTERM);
    EXPECT_EQ(process->wait(), 0) << process->output();
  }
}

ROMANCY_ON_EVERY_DATABASE(Lease);

} // namespace
} // namespace romancy::testing
