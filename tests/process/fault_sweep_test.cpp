#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/child_process.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/temporary_directory.hpp"

namespace romancy::testing {
namespace {

using texts = std::vector<std::string>;

/// G1, G2, G3, G4, whatever statement is the last one of the process.
void check_invariants(const std::string& file, const event_log& broker, long k) {
  database_file db{file};
  EXPECT_EQ(db.texts("SELECT order_id FROM orders ORDER BY 1"), (texts{"BAD", "GOOD"})) << "k = " << k;
  EXPECT_EQ(db.texts("SELECT order_id FROM payments ORDER BY 1"), (texts{"BAD", "GOOD"})) << "k = " << k;
  EXPECT_EQ(db.texts("SELECT order_id FROM cancellations"), texts{"BAD"}) << "k = " << k;
  EXPECT_EQ(db.texts("SELECT instance_id || ' ' || status FROM workflow_instances ORDER BY 1"),
            (texts{"BAD failed", "GOOD completed"}))
      << "k = " << k;
  EXPECT_EQ(
      db.texts(
          "SELECT instance_id || ' ' || activity_id || ' ' || event_type FROM workflow_history ORDER BY instance_id, id"),
      (texts{"BAD place:1 ActivityCompleted", "BAD decline:1 ActivityFailed",
             "BAD @compensate:place:1 CompensationExecuted", "GOOD place:1 ActivityCompleted",
             "GOOD @send_event:1 EventSent"}))
      << "k = " << k;
  EXPECT_EQ(db.texts("SELECT event_type || ' ' || instance_id || ' ' || status FROM outbox_events ORDER BY 1"),
            (texts{"order.cancelled BAD published", "order.completed GOOD published", "order.created BAD published",
                   "order.created GOOD published", "payment.failed BAD published", "payment.failed GOOD published",
                   "payment.processed BAD published", "payment.processed GOOD published"}))
      << "k = " << k;
  texts received;
  for (const auto& [id, times] : broker.accepted()) received.push_back(id);
  EXPECT_EQ(received, db.texts("SELECT event_id FROM outbox_events ORDER BY 1")) << "k = " << k;
}

TEST(FaultSweep, LosesAndRepeatsNothingWhateverStatementTheProcessDiesAt) {
  const std::string program = one_order_program;
  int died = 0;
  for (long k = 1;; ++k) {
    const temporary_directory directory;
    const auto file = directory.file("order.db");
    event_log broker;
    const auto run = [&](long fatal) { return run_process({program, file, broker.url(), std::to_string(fatal)}); };
    const auto first = run(k);
    if (first.code == 0) {
      EXPECT_GT(died, 60) << "that is fewer statements than an order has";
      check_invariants(file, broker, k);
      break;
    }
    ASSERT_EQ(first.code, 137) << first.output;
    ++died;
    const auto second = run(0);
    ASSERT_EQ(second.code, 0) << "k = " << k << '\n' << second.output;
    check_invariants(file, broker, k);
    if (::testing::Test::HasFailure()) break;
  }
  ::testing::Test::RecordProperty("statements", died);
  std::cout << died << " statements, dead at each of them\n";
}

} // namespace
} // namespace romancy::testing
