#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "storage/migrations.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/programs.hpp"
#include "testing/temporary_directory.hpp"
#include "tests/support/version_1.hpp"

namespace romancy::testing {
namespace {

using words = std::vector<std::string>;

/// Orders that no process serves: P-1 runs, P-2 is complete, P-3 is parked.
class WorkflowReplay : public ::testing::Test {
protected:
  WorkflowReplay() {
    database_file outside{file};
    make_version_1_with_orders(outside.db());
    static_cast<void>(migrations::apply(outside.db()));
  }
  temporary_directory directory;
  std::string file = directory.file("orders.db");

  finished_process replay(words arguments) {
    arguments.insert(arguments.begin(), {romancy_program, "workflow", "replay", "--database", file});
    return run_process(std::move(arguments));
  }
};

TEST_F(WorkflowReplay, RunsTheProgramAndPassesItsExitCodeOn) {
  const auto fits = replay({"--dry-run", "--program", ecommerce_program, "--id", "P-1", "--id", "P-2"});
  EXPECT_EQ(fits.code, 0) << fits.output;
  EXPECT_EQ(fits.output, "2 instances checked, 0 do not fit\n");
  database_file outside{file};
  outside.db().session() << "UPDATE workflow_history SET activity_id = 'make_order:1' WHERE instance_id = 'P-1'";
  const auto misfit = replay({"--dry-run", "--program", ecommerce_program, "--id", "P-1"});
  EXPECT_EQ(misfit.code, 1) << misfit.output;
  EXPECT_EQ(misfit.output,
            "P-1  process_order  running: at position 1 history has make_order:1 (ActivityCompleted), the workflow "
            "process_order asks for create_order:1 (activity)\n1 instance checked, 1 does not fit\n");
  const auto json = replay({"--dry-run", "--program", ecommerce_program, "--id", "P-1", "--json"});
  EXPECT_EQ(json.code, 1) << json.output;
  const auto first_line = json.output.substr(0, json.output.find('\n'));
  EXPECT_EQ(nlohmann::json::parse(first_line).at("instance_id"), "P-1");
  EXPECT_EQ(nlohmann::json::parse(json.output.substr(first_line.size())),
            (nlohmann::json{{"checked", 1}, {"misfits", 1}}));
  EXPECT_EQ(outside.number("SELECT sum(fence) FROM workflow_instances"), 4); // as before
}

TEST_F(WorkflowReplay, LooksOnlyAtTheWorkflowsThatAreMeant) {
  database_file{file}.db().session()
      << "INSERT INTO workflow_instances (instance_id, workflow_name, status, "
         "input_data, started_at) VALUES ('O-1', 'other', 'running', '[]', '2026-01-01 00:00:00.000000')";
  const auto other = replay({"--dry-run", "--program", ecommerce_program, "--workflow", "other"});
  EXPECT_EQ(other.code, 1) << other.output;
  EXPECT_EQ(other.output.find("O-1  other  running: this program has no workflow 'other'"), 0U) << other.output;
  const auto none = replay({"--dry-run", "--program", ecommerce_program, "--workflow", "another"});
  EXPECT_EQ(none.code, 0) << none.output;
  EXPECT_EQ(none.output, "0 instances checked, 0 do not fit\n");
}

TEST_F(WorkflowReplay, SaysWhatToDo) {
  const auto wet = replay({"--program", ecommerce_program});
  EXPECT_EQ(wet.code, 2);
  EXPECT_NE(wet.output.find("replayed only to check them: give --dry-run"), std::string::npos) << wet.output;
  const auto nobody = replay({"--dry-run"});
  EXPECT_EQ(nobody.code, 2);
  EXPECT_NE(nobody.output.find("name its new binary with --program"), std::string::npos) << nobody.output;
  const auto missing = replay({"--dry-run", "--program", directory.file("none")});
  EXPECT_EQ(missing.code, 1);
  EXPECT_NE(missing.output.find("cannot be run: No such file"), std::string::npos) << missing.output;
  const auto unknown = replay({"--dry-run", "--program", ecommerce_program, "--id", "P-99"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.output.find("there is no instance P-99"), std::string::npos) << unknown.output;
  for (const words& wrong : {words{}, words{"--dry-run", "--database"}, words{"--dry-run", "--sideways"}}) {
    words arguments{ecommerce_program, "workflow", "replay", "--database", file};
    arguments.insert(arguments.end(), wrong.begin(), wrong.end());
    const auto refused = run_process(arguments);
    EXPECT_EQ(refused.code, 2) << refused.output;
    EXPECT_NE(refused.output.find("--help"), std::string::npos) << refused.output;
  }
  const auto help = run_process({ecommerce_program, "workflow", "replay", "--help"});
  EXPECT_EQ(help.code, 0) << help.output;
}

TEST_F(WorkflowReplay, StartsNoServiceThatDoesNotKnowOfIt) {
  const auto before = database_file{file}.number("SELECT count(*) FROM workflow_history");
  const auto refused = replay({"--dry-run", "--program", one_order_program});
  EXPECT_NE(refused.code, 0) << refused.output;
  EXPECT_NE(refused.output.find("begin its main with romancy::replay_command"), std::string::npos) << refused.output;
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM workflow_history"), before);
}

TEST_F(WorkflowReplay, ForksAnInstanceOfWhichItThenShowsTheSource) {
  const auto fork = [&](words arguments) {
    arguments.insert(arguments.begin(), {romancy_program, "workflow", "fork", "--database", file});
    return run_process(std::move(arguments));
  };
  const auto running = fork({"P-1", "--from-step", "create_order:1", "--new-id", "F"});
  EXPECT_EQ(running.code, 1);
  EXPECT_NE(running.output.find("instance P-1 is running: cancel it, or wait"), std::string::npos) << running.output;
  database_file{file}.db().session() << "UPDATE workflow_instances SET status = 'failed' WHERE instance_id = 'P-1'";
  const auto forked = fork({"P-1", "--from-step", "create_order:1", "--new-id", "F"});
  EXPECT_EQ(forked.code, 0) << forked.output;
  EXPECT_EQ(forked.output, "F goes on from create_order:1 of P-1\n");
  const auto again = fork({"P-1", "--from-step", "create_order:1", "--new-id", "F", "--json"});
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_EQ(nlohmann::json::parse(again.output).at("instance_id"), "F");
  const auto shown = run_process({romancy_program, "workflow", "show", "F", "--database", file});
  EXPECT_NE(shown.output.find("forked    from P-1 at create_order:1\n"), std::string::npos) << shown.output;
  const auto listed = run_process({romancy_program, "workflow", "list", "--id", "F", "--json", "--database", file});
  EXPECT_EQ(nlohmann::json::parse(listed.output).at("forked_from"), "P-1");
  EXPECT_EQ(fork({"P-1"}).code, 2);
}

} // namespace
} // namespace romancy::testing
