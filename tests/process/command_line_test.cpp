#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/child_process.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/temporary_directory.hpp"

namespace romancy::testing {
namespace {

using words = std::vector<std::string>;

class CommandLine : public ::testing::Test {
protected:
  temporary_directory directory;
  std::string file = directory.file("cli.db");

  finished_process romancy(words arguments) {
    arguments.insert(arguments.begin(), romancy_program);
    return run_process(std::move(arguments));
  }
  nlohmann::json json_of(words arguments) { return nlohmann::json::parse(romancy(std::move(arguments)).output); }
  void place_orders(const event_log& broker, const std::string& count) {
    words arguments{ecommerce_program, "--database", file, "--broker-url", broker.url(), "--orders", count,
                    "--prefix",        "P"};
    const auto placed = run_process(std::move(arguments));
    ASSERT_EQ(placed.code, 0) << placed.output;
  }
};

TEST_F(CommandLine, ExplainsItselfEverywhere) {
  for (const auto& command : std::vector<words>{{},
                                                {"migrate"},
                                                {"relay"},
                                                {"sink"},
                                                {"outbox"},
                                                {"outbox", "status"},
                                                {"outbox", "list"},
                                                {"outbox", "redrive"},
                                                {"workflow"},
                                                {"workflow", "list"},
                                                {"workflow", "show"}}) {
    auto arguments = command;
    arguments.push_back("--help");
    const auto help = romancy(arguments);
    EXPECT_EQ(help.code, 0) << help.output;
    EXPECT_NE(help.output.find("--help"), std::string::npos) << help.output;
  }
}

TEST_F(CommandLine, EndsWith2ForUsageAnd1ForFailureAndSaysWhatToDo) {
  const auto nothing = romancy({});
  EXPECT_EQ(nothing.code, 2);
  const auto unknown = romancy({"relax"});
  EXPECT_EQ(unknown.code, 2);
  const auto incomplete = romancy({"relay", "--database", file});
  EXPECT_EQ(incomplete.code, 2);
  EXPECT_NE(incomplete.output.find("--broker-url"), std::string::npos) << incomplete.output;
  const auto duration = romancy({"relay", "--database", file, "--broker-url", "http://b/", "--poll-interval", "soon"});
  EXPECT_EQ(duration.code, 2);
  EXPECT_NE(duration.output.find("soon"), std::string::npos) << duration.output;
  const auto missing = romancy({"outbox", "status", "--database", file});
  EXPECT_EQ(missing.code, 1);
  EXPECT_NE(missing.output.find("does not exist"), std::string::npos) << missing.output;
  const auto scheme = romancy({"migrate", "--database", "oracle://x"});
  EXPECT_EQ(scheme.code, 1);
  EXPECT_NE(scheme.output.find("unknown scheme 'oracle'"), std::string::npos) << scheme.output;
  const auto url = romancy({"relay", "--database", file, "--broker-url", "nonsense"});
  EXPECT_EQ(url.code, 1);
  EXPECT_NE(url.output.find("broker_url"), std::string::npos) << url.output;
  EXPECT_EQ(std::count(url.output.begin(), url.output.end(), '\n'), 1) << url.output;
}

TEST_F(CommandLine, MigratesAndSaysSo) {
  EXPECT_EQ(json_of({"migrate", "--database", file, "--json"}).at("applied").size(), 1U);
  EXPECT_EQ(json_of({"migrate", "--database", file, "--json"}).at("applied").size(), 0U);
}

TEST_F(CommandLine, ShowsInstancesAndEvents) {
  const event_log broker;
  place_orders(broker, "8");
  EXPECT_EQ(json_of({"outbox", "status", "--database", file, "--json"}).at("published"), 32);
  const auto list = romancy({"workflow", "list", "--database", file, "--status", "completed", "--json"});
  EXPECT_EQ(std::count(list.output.begin(), list.output.end(), '\n'), 8);
  const auto shown = json_of({"workflow", "show", "P-7", "--database", file, "--json"});
  EXPECT_EQ(shown.at("status"), "completed");
  EXPECT_EQ(shown.at("output").at("paid"), false);
  EXPECT_EQ(shown.at("history").size(), 4U);
  const auto declined = romancy({"outbox", "list", "--database", file, "--type", "payment.failed", "--json"});
  EXPECT_EQ(nlohmann::json::parse(declined.output).at("instance_id"), "P-7");
  EXPECT_EQ(romancy({"workflow", "show", "P-99", "--database", file}).code, 1);
}

TEST_F(CommandLine, PutsDeadEventsBack) {
  {
    const event_log broker{cli::answer_script::parse("400,400,400")};
    place_orders(broker, "1");
  }
  EXPECT_EQ(json_of({"outbox", "status", "--database", file, "--json"}).at("invalid"), 3);
  EXPECT_EQ(json_of({"outbox", "redrive", "--database", file, "--status", "invalid", "--json"}).at("redriven"), 3);
  const event_log healthy;
  EXPECT_EQ(romancy({"relay", "--database", file, "--broker-url", healthy.url(), "--once"}).code, 0);
  EXPECT_EQ(healthy.size(), 3U);
  EXPECT_EQ(json_of({"outbox", "status", "--database", file, "--json"}).at("published"), 4);
}

TEST_F(CommandLine, RepeatsNothingWhenItIsRunAgain) {
  event_log broker;
  place_orders(broker, "20");
  place_orders(broker, "20");
  EXPECT_EQ(broker.size(), 80U);
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM orders"), 20);
}

TEST_F(CommandLine, SharesTheWorkBetweenProcesses) {
  event_log broker;
  const auto start = [&](const std::string& worker) {
    return child_process{{ecommerce_program, "--database", file, "--broker-url", broker.url(), "--orders", "200",
                          "--prefix", "P", "--worker-id", worker},
                         directory.file(worker)};
  };
  auto one = start("one");
  auto two = start("two");
  EXPECT_EQ(one.wait(), 0) << one.output();
  EXPECT_EQ(two.wait(), 0) << two.output();
  database_file outside{file};
  EXPECT_EQ(outside.number("SELECT count(*) FROM orders"), 200);
  EXPECT_EQ(outside.number("SELECT count(DISTINCT order_id) FROM orders"), 200);
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances WHERE status = 'completed'"), 200);
  EXPECT_EQ(broker.accepted().size(), 800U);
}

} // namespace
} // namespace romancy::testing
