#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/child_process.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/programs.hpp"
#include "testing/temporary_directory.hpp"

namespace romancy::testing {
namespace {

using texts = std::vector<std::string>;

/// G1, G2, G3, G4, whatever statement is the last one of the process.
void check_invariants(const std::string& file, const event_log& broker, const std::string& fatal) {
  database_file db{file};
  EXPECT_EQ(db.texts("SELECT order_id FROM orders ORDER BY 1"), (texts{"BAD", "GOOD"})) << "dead at " << fatal;
  EXPECT_EQ(db.texts("SELECT order_id FROM payments ORDER BY 1"), (texts{"BAD", "GOOD"})) << "dead at " << fatal;
  EXPECT_EQ(db.texts("SELECT order_id FROM cancellations"), texts{"BAD"}) << "dead at " << fatal;
  EXPECT_EQ(db.texts("SELECT instance_id || ' ' || status FROM workflow_instances ORDER BY 1"),
            (texts{"BAD failed", "GOOD completed"}))
      << "dead at " << fatal;
  EXPECT_EQ(
      db.texts(
          "SELECT instance_id || ' ' || activity_id || ' ' || event_type FROM workflow_history ORDER BY instance_id, id"),
      (texts{"BAD place:1 ActivityCompleted", "BAD decline:1 ActivityFailed",
             "BAD @compensate:place:1 CompensationExecuted", "GOOD place:1 ActivityCompleted",
             "GOOD @send_event:1 EventSent"}))
      << "dead at " << fatal;
  EXPECT_EQ(db.texts("SELECT event_type || ' ' || instance_id || ' ' || status FROM outbox_events ORDER BY 1"),
            (texts{"order.cancelled BAD published", "order.completed GOOD published", "order.created BAD published",
                   "order.created GOOD published", "payment.failed BAD published", "payment.failed GOOD published",
                   "payment.processed BAD published", "payment.processed GOOD published"}))
      << "dead at " << fatal;
  texts received;
  for (const auto& [id, times] : broker.accepted()) received.push_back(id);
  EXPECT_EQ(received, db.texts("SELECT event_id FROM outbox_events ORDER BY 1")) << "dead at " << fatal;
}

/// Those at which a death could lose or repeat something, by how they begin.
const texts decisive{"CREATE TABLE",
                     "ALTER TABLE",
                     "BEGIN",
                     "COMMIT",
                     "SAVEPOINT romancy_0",
                     "SAVEPOINT romancy_1",
                     "RELEASE romancy_0",
                     "RELEASE romancy_1",
                     "ROLLBACK TO romancy_1",
                     "INSERT INTO worker_epochs",
                     "INSERT INTO workflow_instances",
                     "INSERT INTO orders",
                     "INSERT INTO payments",
                     "INSERT INTO cancellations",
                     "INSERT INTO outbox_events",
                     "INSERT INTO workflow_history",
                     "INSERT INTO workflow_compensations",
                     "UPDATE workflow_compensations SET done_at",
                     "UPDATE workflow_instances SET status = 'compensating'",
                     "UPDATE workflow_instances SET status = :status", // its end
                     "UPDATE outbox_events SET locked_by = :epoch",    // a claim
                     "UPDATE outbox_events SET status = 'published'"};

class FaultSweep : public ::testing::Test {
protected:
  std::map<std::string, int> deaths; ///< by the beginnings of statements

  /// A process that dies at a statement, and one that follows it. False when the first one never came to it.
  bool die_at(const std::string& fatal) {
    const temporary_directory directory;
    const auto file = directory.file("order.db");
    event_log broker;
    const auto run = [&](const std::string& where) {
      return run_process({one_order_program, file, broker.url(), where});
    };
    const auto first = run(fatal);
    if (first.code == 0) {
      check_invariants(file, broker, fatal);
      return false;
    }
    EXPECT_EQ(first.code, 137) << first.output;
    const std::string says = "dead at: ";
    const auto at = first.output.find(says);
    EXPECT_NE(at, std::string::npos) << first.output;
    if (HasFailure()) return true;
    const auto statement = first.output.substr(at + says.size());
    for (const auto& beginning : decisive)
      if (statement.starts_with(beginning)) ++deaths[beginning];
    const auto second = run("0");
    EXPECT_EQ(second.code, 0) << fatal << '\n' << second.output;
    if (!HasFailure()) check_invariants(file, broker, fatal);
    return true;
  }
};

TEST_F(FaultSweep, LosesAndRepeatsNothingWhateverStatementTheProcessDiesAt) {
  long died = 0;
  while (!HasFailure() && die_at(std::to_string(died + 1))) ++died;
  ASSERT_FALSE(HasFailure());
  EXPECT_GT(died, 60) << "that is fewer statements than an order has";
  std::cout << died << " statements, dead at each of them\n";
  // Threads make the order of statements vary from run to run, so that one may have been missed.
  for (const auto& beginning : decisive)
    if (!deaths.contains(beginning)) {
      std::cout << "aimed at: " << beginning << '\n';
      EXPECT_TRUE(die_at(beginning)) << "there is no statement " << beginning;
    }
  for (const auto& beginning : decisive) EXPECT_GT(deaths[beginning], 0) << beginning;
}

} // namespace
} // namespace romancy::testing
