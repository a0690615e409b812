#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "storage/migrations.hpp"
#include "storage/storage_failure.hpp"
#include "storage/timestamp.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/temporary_directory.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

/// Processes on one host: one that is stopped is still there, so only its lease says that it is silent.
class Lease : public ::testing::Test {
protected:
  temporary_directory directory;
  std::string file = directory.file("orders.db");
  std::string gate = directory.file("gate");

  Lease() {
    database_file outside{file};
    static_cast<void>(migrations::apply(outside.db()));
    for (const auto* table : {"orders", "shipments"})
      outside.db().session() << std::string{"CREATE TABLE "} + table + " (order_id TEXT)";
  }
  /// Nobody owns it yet.
  void start_order(const std::string& id) {
    const auto input = "[\"" + id + "\"]";
    database_file outside{file};
    outside.db().session() << "INSERT INTO workflow_instances (instance_id, workflow_name, input_data, started_at) "
                              "VALUES (:id, 'serve', :input, '2026-01-01 00:00:00')",
        soci::use(id), soci::use(input);
  }
  child_process worker(const event_log& broker, const std::string& name) {
    return child_process{{gated_worker_program, file, broker.url(), name, "1s", gate}, directory.file(name)};
  }
  /// Waits until it has printed `text`.
  static bool says(const child_process& process, const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (process.output().find(text) == std::string::npos) {
      if (std::chrono::steady_clock::now() >= end) return false;
      std::this_thread::sleep_for(2ms);
    }
    return true;
  }
  /// Stops it while it does not hold the database, which nobody could write otherwise.
  void stop_between_transactions(child_process& process) {
    const auto outside = database::open(database_url::parse(file), {.busy_timeout = std::chrono::milliseconds{20}}, 30s);
    for (;;) try {
        process.stop();
        outside->begin();
        outside->roll_back();
        return;
      } catch (const storage_failure& e) {
        if (!e.retryable()) throw;
        process.signal(SIGCONT);
      }
  }
  /// All that matters of these orders.
  texts rows_of(const std::string& orders) {
    database_file outside{file};
    texts all;
    for (const auto* select :
         {"SELECT 'order ' || order_id FROM orders", "SELECT 'shipment ' || order_id FROM shipments",
          "SELECT instance_id || ' ' || status || ' ' || fence || ' ' || finished_at FROM workflow_instances t",
          "SELECT instance_id || ' ' || id || ' ' || activity_id || ' ' || attempts || ' ' || created_at "
          "FROM workflow_history t",
          "SELECT event_id || ' ' || event_type || ' ' || status || ' ' || retry_count || ' ' || published_at "
          "FROM outbox_events t"}) {
      const std::string text = select;
      const auto key = text.ends_with(" t") ? " WHERE instance_id IN (" : " WHERE order_id IN (";
      for (auto& row : outside.texts(text + key + orders + ") ORDER BY 1")) all.push_back(std::move(row));
    }
    return all;
  }
};

TEST_F(Lease, DecidesAboutAStoppedProcessWhichThenCommitsNothingOfWhatItHadBegun) {
  const texts ids{"LABEL-1", "LABEL-2", "SHIP-1", "SHIP-2"};
  const std::string orders = "'LABEL-1', 'LABEL-2', 'SHIP-1', 'SHIP-2'";
  for (const auto& id : ids) start_order(id);
  event_log deaf{cli::answer_script::parse("hang,hang,hang,hang")};
  event_log broker;
  database_file outside{file};

  // Stopped in the middle of two kinds of steps, with events on the wire.
  auto first = worker(deaf, "first");
  for (const auto& id : ids) ASSERT_TRUE(says(first, "waiting " + id)) << first.output();
  ASSERT_TRUE(deaf.wait_for(4, 30s)) << first.output();
  stop_between_transactions(first);
  const auto epochs = outside.texts("SELECT epoch FROM worker_epochs");
  ASSERT_EQ(epochs.size(), 1U);
  const auto& epoch = epochs.front();
  const auto of_first = "'" + epoch + "'";
  const auto expires_at = outside.texts("SELECT expires_at FROM worker_epochs").front();
  ASSERT_EQ(outside.number("SELECT count(*) FROM workflow_instances WHERE owner_epoch = " + of_first), 4);
  ASSERT_EQ(outside.number("SELECT count(*) FROM outbox_events WHERE locked_by = " + of_first), 4);

  // Another one takes over, but not before the lease has run out.
  std::ofstream{gate} << "open";
  auto second = worker(broker, "second");
  ASSERT_TRUE(outside.becomes("SELECT count(*) FROM worker_epochs WHERE epoch = " + of_first, 0)) << second.output();
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  EXPECT_GT(to_text(now), expires_at);
  ASSERT_TRUE(outside.becomes("SELECT count(*) FROM workflow_instances WHERE status = 'completed'", 4))
      << second.output();
  ASSERT_TRUE(outside.becomes("SELECT count(*) FROM outbox_events WHERE status <> 'published'", 0)) << second.output();
  EXPECT_NE(second.output().find("taken over what 1 dead worker(s) left behind"), std::string::npos) << second.output();
  second.signal(SIGTERM);
  EXPECT_EQ(second.wait(), 0) << second.output();
  const auto served = rows_of(orders);
  EXPECT_EQ(served.size(), 4U + 2U + 4U + 12U + 10U);
  EXPECT_EQ(broker.size(), 10U);
  EXPECT_EQ(broker.accepted().size(), 10U);

  // It goes on where it stood, is refused, and says so.
  first.signal(SIGCONT);
  for (const auto& id : ids) EXPECT_TRUE(says(first, "through " + id)) << first.output();
  EXPECT_TRUE(says(first, "this worker was silent for longer than its lease of 1000 ms")) << first.output();
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM worker_epochs WHERE worker_id = 'first' AND epoch <> " + of_first, 1))
      << first.output();
  EXPECT_EQ(rows_of(orders), served);

  // It works on under its new epoch.
  start_order("SHIP-3");
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM workflow_instances WHERE status = 'completed'", 5)) << first.output();
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM outbox_events WHERE status <> 'published'", 0)) << first.output();
  EXPECT_EQ(outside.number("SELECT count(*) FROM worker_epochs WHERE epoch = " + of_first), 0);
  EXPECT_EQ(rows_of("'SHIP-3'").size(), 1U + 1U + 1U + 3U + 3U);
  EXPECT_EQ(deaf.accepted().size(), 3U);
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait(), 0) << first.output();
  EXPECT_EQ(rows_of(orders), served); // also when all that it had begun has ended
  EXPECT_EQ(outside.number("SELECT count(*) FROM worker_epochs"), 0);
}

} // namespace
} // namespace romancy::testing
