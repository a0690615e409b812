#include <sstream>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "storage/migrations.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/programs.hpp"
#include "testing/temporary_directory.hpp"
#include "tests/support/version_1.hpp"

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
  /// Serves the orders P-1 to P-`count`, and takes over those of dead processes.
  finished_process serve(const event_log& broker, const std::string& count) {
    return run_process({ecommerce_program, "--database", file, "--broker-url", broker.url(), "--orders", count,
                        "--prefix", "P", "--lease", "1s"});
  }
  void place_orders(const event_log& broker, const std::string& count) {
    const auto placed = serve(broker, count);
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
                                                {"workflow", "show"},
                                                {"workflow", "cancel"},
                                                {"workflow", "resume"},
                                                {"workflow", "fork"},
                                                {"workflow", "replay"},
                                                {"clean"},
                                                {"event"},
                                                {"event", "send"}}) {
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
  words names;
  for (const auto& step : migrations::all(sqlite3_dialect)) names.emplace_back(step.name);
  ASSERT_EQ((words{names[0], names[1]}), (words{"0001_initial", "0002_cancel_and_resume"})); // their names never change
  const nlohmann::json first{{"version", names.size()}, {"applied", names}};
  EXPECT_EQ(json_of({"migrate", "--database", file, "--json"}), first);
  const nlohmann::json second{{"version", names.size()}, {"applied", words{}}};
  EXPECT_EQ(json_of({"migrate", "--database", file, "--json"}), second);
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

// -- databases of an older version ------------------------------------------------------------------------------------

class CommandLineOnVersion1 : public CommandLine {
protected:
  CommandLineOnVersion1() {
    database_file outside{file};
    make_version_1_with_orders(outside.db());
    version_1 = selects(outside);
    before = rows(outside, version_1);
  }
  words version_1; ///< shows what a database of version 1 can hold
  words before;
};

const std::vector<words> looking{{"outbox", "status"},
                                 {"outbox", "list"},
                                 {"outbox", "redrive", "--status", "failed"},
                                 {"workflow", "list"},
                                 {"workflow", "show", "P-1"},
                                 {"workflow", "cancel", "P-1", "--reason", "a test"},
                                 {"workflow", "resume", "--id", "P-3"},
                                 {"clean", "--finished-before", "0s", "--dead-before", "0s"}};

TEST_F(CommandLineOnVersion1, OnlyLooksAndSaysThatItIsToBeMigrated) {
  for (auto command : looking) {
    command.insert(command.end(), {"--database", file});
    const auto refused = romancy(command);
    EXPECT_EQ(refused.code, 1) << command[1] << ": " << refused.output;
    for (const auto& part : {file, std::string{"version 1, "}, "version " + std::to_string(migrations::newest()),
                             std::string{"romancy migrate"}})
      EXPECT_NE(refused.output.find(part), std::string::npos)
          << command[1] << " without '" << part << "': " << refused.output;
    EXPECT_EQ(std::count(refused.output.begin(), refused.output.end(), '\n'), 1) << refused.output;
    database_file outside{file};
    EXPECT_EQ(migrations::current(outside.db()), 1) << command[1];
    EXPECT_EQ(selects(outside), version_1) << command[1];
    EXPECT_EQ(rows(outside, version_1), before) << command[1];
  }
}

TEST_F(CommandLineOnVersion1, IsMigratedWithAllItsRows) {
  EXPECT_EQ(json_of({"migrate", "--database", file, "--json"}).at("applied").at(0), "0002_cancel_and_resume");
  {
    database_file outside{file};
    EXPECT_EQ(migrations::current(outside.db()), migrations::newest());
    EXPECT_EQ(rows(outside, after_version_1(version_1)), before);
  }
  EXPECT_EQ(json_of({"outbox", "status", "--database", file, "--json"}).at("failed"), 1);
  EXPECT_EQ(json_of({"workflow", "resume", "--id", "P-3", "--database", file, "--json"}).at("resumed"), 1);
  EXPECT_EQ(json_of({"workflow", "show", "P-3", "--database", file, "--json"}).at("status"), "running");
}

TEST_F(CommandLineOnVersion1, IsMigratedByAnAppWhichGoesOnWithWhatWasUnfinished) {
  event_log broker;
  place_orders(broker, "2");
  database_file outside{file};
  EXPECT_EQ(migrations::current(outside.db()), migrations::newest());
  EXPECT_EQ(outside.texts("SELECT order_id FROM orders ORDER BY 1"), (words{"P-1", "P-2"}));
  EXPECT_EQ(outside.texts("SELECT activity_id FROM workflow_history WHERE instance_id = 'P-1' ORDER BY id"),
            (words{"create_order:1", "process_payment:1", "ship_order:1", "@send_event:1"}));
  EXPECT_EQ(outside.texts("SELECT instance_id || ' ' || status || ' ' || started_at FROM workflow_instances ORDER BY 1"),
            (words{"P-1 completed 2026-01-01 00:00:01.000000", "P-2 completed 2026-01-01 00:00:02.000000",
                   "P-3 parked 2026-01-01 00:00:03.000000"}));
  EXPECT_EQ(broker.accepted().size(), 4U); // E-1, and what followed of P-1
  EXPECT_TRUE(broker.accepted().contains("E-1"));
  EXPECT_EQ(outside.texts("SELECT event_id FROM outbox_events WHERE status = 'failed'"), words{"E-3"});
  // What version 1 had settled is as it was.
  const auto of_others = [](const words& all) {
    words others;
    for (const auto& row : all)
      if (row.find("P-1") == std::string::npos && !row.starts_with("worker_epochs")) others.push_back(row);
    return others;
  };
  EXPECT_EQ(of_others(rows(outside, after_version_1(version_1))), of_others(before));
}

TEST_F(CommandLine, LooksAtNoDatabaseWithoutTablesAndAtNoneFromTheFuture) {
  for (const bool future : {false, true}) {
    database_file outside{file};
    if (future) {
      static_cast<void>(migrations::apply(outside.db()));
      outside.db().session() << "INSERT INTO romancy_schema (version, name) VALUES (9999, 'tomorrow')";
    }
    const auto before = selects(outside);
    for (auto command : looking) {
      command.insert(command.end(), {"--database", file});
      const auto refused = romancy(command);
      EXPECT_EQ(refused.code, 1) << command[1] << ": " << refused.output;
      EXPECT_NE(refused.output.find(future ? "schema version 9999" : "romancy migrate"), std::string::npos)
          << refused.output;
      EXPECT_EQ(selects(outside), before) << command[1];
    }
  }
}

// -- cancelling and resuming ------------------------------------------------------------------------------------------

/// Orders that no process serves yet.
class CommandLineWithOrders : public CommandLine {
protected:
  CommandLineWithOrders() {
    database_file outside{file};
    make_version_1_with_orders(outside.db());
    static_cast<void>(migrations::apply(outside.db()));
  }
  nlohmann::json show(const std::string& id) { return json_of({"workflow", "show", id, "--database", file, "--json"}); }
  finished_process cancel(words arguments) {
    arguments.insert(arguments.begin(), {"workflow", "cancel"});
    arguments.insert(arguments.end(), {"--database", file});
    return romancy(std::move(arguments));
  }
  finished_process resume(words arguments) {
    arguments.insert(arguments.begin(), {"workflow", "resume"});
    arguments.insert(arguments.end(), {"--database", file});
    return romancy(std::move(arguments));
  }
};

TEST_F(CommandLineWithOrders, ShowsHowLongAStepTookAndTheErrorsBefore) {
  database_file{file}.db().session()
      << R"(UPDATE workflow_history SET attempts = 5, details = '{"duration_ms":1500,"errors":["busy","still busy"]}')"
         " WHERE activity_id = 'process_payment:1'";
  const auto shown = romancy({"workflow", "show", "P-2", "--database", file});
  EXPECT_NE(shown.output.find("process_payment:1  ActivityCompleted in attempt 5  true\n"
                              "      attempt 3 failed: busy\n      attempt 4 failed: still busy\n"),
            std::string::npos)
      << shown.output;
  EXPECT_EQ(show("P-2").at("history").at(1).at("details").at("errors").at(1), "still busy");
  EXPECT_TRUE(show("P-2").at("history").at(0).at("details").is_null()); // of an older version
  database_file{file}.db().session() << "UPDATE workflow_history SET details = '[not JSON'";
  EXPECT_EQ(romancy({"workflow", "show", "P-2", "--database", file}).code, 0);
}

TEST_F(CommandLineWithOrders, CancelsAnInstanceWithAReason) {
  const event_log broker;
  const auto accepted = cancel({"P-1", "--reason", "out of stock"});
  EXPECT_EQ(accepted.code, 0) << accepted.output;
  EXPECT_NE(accepted.output.find("P-1 is stopped and undone"), std::string::npos) << accepted.output;
  EXPECT_EQ(show("P-1").at("cancel_reason"), "out of stock");
  EXPECT_EQ(show("P-1").at("status"), "running"); // nobody serves it yet
  const auto again = cancel({"P-1", "--reason", "changed my mind", "--json"});
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_EQ(again.output, "{\"accepted\":true}\n");
  EXPECT_EQ(show("P-1").at("cancel_reason"), "out of stock");
  const auto served = serve(broker, "1");
  EXPECT_EQ(served.code, 1) << served.output;
  EXPECT_NE(served.output.find("instance P-1 cancelled: out of stock"), std::string::npos) << served.output;
  EXPECT_EQ(show("P-1").at("status"), "cancelled");
  EXPECT_EQ(show("P-1").at("error"), "out of stock");
  EXPECT_EQ(show("P-1").at("history").size(), 1U); // no further step
  const auto shown = romancy({"workflow", "show", "P-1", "--database", file});
  EXPECT_NE(shown.output.find("cancel    out of stock\n"), std::string::npos) << shown.output;
}

TEST_F(CommandLineWithOrders, CancelsAParkedInstanceAndSaysWhenNoReasonWasGiven) {
  EXPECT_EQ(cancel({"P-3"}).code, 0);
  EXPECT_EQ(show("P-3").at("status"), "compensating");
  EXPECT_EQ(show("P-3").at("cancel_reason"), "no reason was given");
  EXPECT_EQ(show("P-3").at("finished_at"), "");
}

TEST_F(CommandLineWithOrders, CancelsNothingThatHasEndedOrIsNotThere) {
  for (const auto* status : {"completed", "failed"}) {
    database_file{file}.db().session() << std::string{"UPDATE workflow_instances SET status = '"} + status +
                                              "' WHERE instance_id = 'P-2'";
    const auto refused = cancel({"P-2", "--reason", "too late"});
    EXPECT_EQ(refused.code, 1) << refused.output;
    EXPECT_NE(refused.output.find("P-2 has ended"), std::string::npos) << refused.output;
    EXPECT_NE(refused.output.find("romancy workflow show P-2"), std::string::npos) << refused.output;
    EXPECT_EQ(std::count(refused.output.begin(), refused.output.end(), '\n'), 1) << refused.output;
    EXPECT_EQ(show("P-2").at("status"), status);
    EXPECT_EQ(show("P-2").at("cancel_reason"), "");
  }
  database_file{file}.db().session() << "UPDATE workflow_instances SET status = 'compensating', error = 'no money' "
                                        "WHERE instance_id = 'P-2'";
  EXPECT_EQ(cancel({"P-2"}).code, 1); // its own failure is being undone
  EXPECT_EQ(show("P-2").at("cancel_reason"), "");
  const auto unknown = cancel({"P-99", "--reason", "a typo"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_NE(unknown.output.find("there is no instance P-99"), std::string::npos) << unknown.output;
  EXPECT_EQ(cancel({}).code, 2);
}

TEST_F(CommandLineWithOrders, LetsAParkedInstanceGoOnOnceTheCodeFitsItsHistory) {
  const event_log broker;
  database_file outside{file};
  outside.db().session() << "UPDATE workflow_history SET activity_id = 'make_order:1' WHERE instance_id = 'P-1'";
  const auto parked = serve(broker, "1");
  EXPECT_EQ(parked.code, 1) << parked.output;
  EXPECT_NE(parked.output.find("make_order:1"), std::string::npos) << parked.output;
  EXPECT_EQ(show("P-1").at("status"), "parked");

  outside.db().session() << "UPDATE workflow_history SET activity_id = 'create_order:1' WHERE instance_id = 'P-1'";
  const auto resumed = resume({"--id", "P-1"});
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(resumed.output, "1 instance goes on\n");
  EXPECT_EQ(show("P-1").at("status"), "running");
  EXPECT_EQ(show("P-1").at("error"), "");
  EXPECT_EQ(show("P-1").at("finished_at"), "");
  const auto served = serve(broker, "1");
  EXPECT_EQ(served.code, 0) << served.output;
  EXPECT_EQ(outside.texts("SELECT order_id FROM orders ORDER BY 1"), (words{"P-1", "P-2"}));
}

TEST_F(CommandLineWithOrders, ResumesTheParkedOnesThatAreMeantAndSaysHowMany) {
  database_file outside{file};
  outside.db().session() << "INSERT INTO workflow_instances (instance_id, workflow_name, status, input_data, started_at) "
                            "VALUES ('P-4', 'process_order', 'parked', '[]', '2026'), "
                            "('O-1', 'other', 'parked', '[]', '2026')";
  const auto none = resume({});
  EXPECT_EQ(none.code, 2) << none.output;
  EXPECT_NE(none.output.find("--id or --workflow"), std::string::npos) << none.output;
  for (const words& wrong : {words{"--id", "P-99"}, words{"--id", "P-2"}, words{"--id", "P-3", "--workflow", "other"}}) {
    const auto refused = resume(wrong);
    EXPECT_EQ(refused.code, 1) << wrong[1] << ": " << refused.output;
    EXPECT_NE(refused.output.find("not there, or not parked"), std::string::npos) << refused.output;
  }
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances WHERE status = 'parked'"), 3);
  const auto others = resume({"--workflow", "process_order", "--json"});
  EXPECT_EQ(others.code, 0) << others.output;
  EXPECT_EQ(others.output, "{\"resumed\":2}\n");
  EXPECT_EQ(outside.texts("SELECT instance_id FROM workflow_instances WHERE status = 'parked'"), words{"O-1"});
  const auto nothing_left = resume({"--workflow", "process_order"});
  EXPECT_EQ(nothing_left.code, 0) << nothing_left.output;
  EXPECT_EQ(nothing_left.output, "0 instances go on\n");
}

// -- looking ----------------------------------------------------------------------------------------------------------

class CommandLineLooking : public CommandLineWithOrders {
protected:
  finished_process list(words arguments) {
    arguments.insert(arguments.begin(), {"workflow", "list"});
    arguments.insert(arguments.end(), {"--database", file});
    return romancy(std::move(arguments));
  }
  /// The objects that --json gives, one a line.
  std::vector<nlohmann::json> objects(words arguments) {
    arguments.emplace_back("--json");
    const auto found = list(std::move(arguments));
    EXPECT_EQ(found.code, 0) << found.output;
    std::vector<nlohmann::json> all;
    std::istringstream lines{found.output};
    for (std::string text; std::getline(lines, text);) all.push_back(nlohmann::json::parse(text));
    return all;
  }
  std::string ids(words arguments) {
    std::string text;
    for (const auto& object : objects(std::move(arguments)))
      text += (text.empty() ? "" : " ") + object.at("instance_id").get<std::string>();
    return text;
  }
};

TEST_F(CommandLineLooking, ListsTheInstancesThatAreMeant) {
  EXPECT_EQ(ids({}), "P-1 P-2 P-3");
  EXPECT_EQ(ids({"--newest-first"}), "P-3 P-2 P-1");
  EXPECT_EQ(ids({"--status", "parked", "--status", "running"}), "P-1 P-3");
  EXPECT_EQ(ids({"--workflow", "process_order", "--workflow", "other"}), "P-1 P-2 P-3");
  EXPECT_EQ(ids({"--workflow", "other"}), "");
  EXPECT_EQ(ids({"--id", "P-2"}), "P-2");
  EXPECT_EQ(ids({"--id-prefix", "P-"}), "P-1 P-2 P-3");
  EXPECT_EQ(ids({"--id-prefix", "%"}), "");
  EXPECT_EQ(ids({"--id-contains", "-3"}), "P-3");
  EXPECT_EQ(ids({"--started-after", "2026-01-01T00:00:02Z"}), "P-2 P-3");
  EXPECT_EQ(ids({"--started-before", "2026-01-01T01:00:02+01:00"}), "P-1");
  EXPECT_EQ(ids({"--finished-after", "2026-01-01T00:00:03.000001Z"}), "P-3");
  EXPECT_EQ(ids({"--finished-before", "1s", "--status", "completed"}), "P-2");
  EXPECT_EQ(ids({"--started-after", "36500d", "--started-before", "0s", "--limit", "1"}), "P-1");
}

TEST_F(CommandLineLooking, ListsInstancesByWhatTheyWereStartedWith) {
  EXPECT_EQ(ids({"--input", "$[0].id=P-2"}), "P-2");
  EXPECT_EQ(ids({"--input", "$[0].id=\"P-2\""}), "P-2");
  EXPECT_EQ(ids({"--input", "$[0].amount=13"}), "P-3");
  EXPECT_EQ(ids({"--input", "$[0].amount=\"13\""}), "");
  EXPECT_EQ(ids({"--input", "$[0].number=1", "--input", "$[0].amount=11.0"}), "P-1");
  EXPECT_EQ(ids({"--input", "$[0].\"a=b\"=x"}), "");
  for (const auto* wrong : {"$[0].id", "id=P-2", "$[*]=1", "$[0]=[1]", "$[0]={}"}) {
    const auto refused = list({"--input", wrong});
    EXPECT_EQ(refused.code, 2) << wrong << ": " << refused.output;
    EXPECT_EQ(std::count(refused.output.begin(), refused.output.end(), '\n'), 1) << refused.output;
  }
}

TEST_F(CommandLineLooking, ListsPageAfterPage) {
  const auto first = objects({"--limit", "2"});
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(ids({"--page", first[1].at("page")}), "P-3");
  EXPECT_EQ(ids({"--page", first[0].at("page"), "--limit", "1"}), "P-2");
  const auto text = list({"--limit", "2"});
  EXPECT_NE(text.output.find("there are more: romancy workflow list --page " + first[1].at("page").get<std::string>()),
            std::string::npos)
      << text.output;
  EXPECT_EQ(list({"--limit", "3"}).output.find("more"), std::string::npos);
  EXPECT_EQ(ids({"--limit", "5000"}), "P-1 P-2 P-3");
  for (const words& wrong : {words{"--page", "x"}, words{"--page", first[1].at("page"), "--newest-first"},
                             words{"--limit", "0"}, words{"--status", "done"}, words{"--started-after", "yesterday"}}) {
    const auto refused = list(wrong);
    EXPECT_EQ(refused.code, 2) << wrong[0] << ": " << refused.output;
    EXPECT_EQ(std::count(refused.output.begin(), refused.output.end(), '\n'), 1) << refused.output;
  }
}

TEST_F(CommandLineLooking, ListsMoreThanAPageAtOnce) {
  database_file outside{file};
  outside.db().begin();
  outside.db().session()
      << "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2100) INSERT INTO "
         "workflow_instances (instance_id, workflow_name, status, input_data, started_at) SELECT 'N-' || "
         "i, 'other', 'completed', '[]', '2026-01-02 00:00:00.000000' FROM n";
  outside.db().commit();
  const auto all = objects({"--workflow", "other", "--limit", "2050"});
  ASSERT_EQ(all.size(), 2050U);
  EXPECT_EQ(objects({"--workflow", "other", "--page", all.back().at("page")}).size(), 50U);
}

TEST_F(CommandLineLooking, PrintsColumnsForPeople) {
  database_file{file}.db().session() << "UPDATE workflow_instances SET instance_id = 'P-1000' WHERE instance_id = 'P-1'";
  EXPECT_EQ(list({}).output,
            "2026-01-01 00:00:01.000000  running       P-1000  process_order\n"
            "2026-01-01 00:00:02.000000  completed     P-2     process_order\n"
            "2026-01-01 00:00:03.000000  parked        P-3     process_order  history disagrees\n");
}

TEST_F(CommandLineLooking, ShowsHowLongEachStepAndAllOfThemTook) {
  const auto shown = show("P-2");
  EXPECT_EQ(shown.at("duration_us"), 1'000'000);
  EXPECT_EQ(shown.at("history").at(0).at("took_us"), 1);
  EXPECT_EQ(shown.at("pending_events"), nlohmann::json::array());
  EXPECT_EQ(shown.at("pending_compensations"), nlohmann::json::array());
  EXPECT_EQ(show("P-1").at("duration_us"), nullptr);
  EXPECT_EQ(show("P-1").at("pending_events"), words{"E-1"});
  EXPECT_EQ(show("P-3").at("pending_compensations"), words{"reserve:1"});
  database_file{file}.db().session() << "UPDATE workflow_history SET created_at = '2026-01-01 00:01:02.500000' WHERE "
                                        "activity_id = '@send_event:1'";
  EXPECT_EQ(romancy({"workflow", "show", "P-2", "--database", file}).output,
            "instance  P-2\n"
            "workflow  process_order\n"
            "status    completed\n"
            "started   2026-01-01 00:00:02.000000\n"
            "finished  2026-01-01 00:00:03.000000\n"
            "took      1.000 s\n"
            "input     [{\"amount\":12.0,\"id\":\"P-2\",\"number\":2}]\n"
            "output    {\"order_id\":\"P-2\",\"paid\":true}\n"
            "history\n"
            "  2026-01-01 00:00:02.000001      0.000 s  create_order:1     ActivityCompleted  null\n"
            "  2026-01-01 00:00:02.000002      0.000 s  process_payment:1  ActivityCompleted  true\n"
            "  2026-01-01 00:00:02.000003      0.000 s  ship_order:1       ActivityCompleted  null\n"
            "  2026-01-01 00:01:02.500000  01 min 00 s  @send_event:1      EventSent          \"P-2/@send_event:1\"\n");
}

// -- cleaning ---------------------------------------------------------------------------------------------------------

class CommandLineCleaning : public CommandLineLooking {
protected:
  finished_process clean(words arguments) {
    arguments.insert(arguments.begin(), "clean");
    arguments.insert(arguments.end(), {"--database", file});
    return romancy(std::move(arguments));
  }
  words events() { return database_file{file}.texts("SELECT event_id FROM outbox_events ORDER BY 1"); }
  CommandLineCleaning() {
    database_file outside{file};
    outside.db().session() << "UPDATE outbox_events SET created_at = '2026-01-01 00:00:00.000000', "
                              "published_at = CASE WHEN status = 'published' THEN '2026-01-01 00:00:05.000000' END";
  }
};

TEST_F(CommandLineCleaning, RemovesWhatIsNamedAndOldEnough) {
  EXPECT_EQ(clean({"--delivered-before", "2026-01-01T00:00:05Z", "--finished-before", "2026-01-01T00:00:03Z"}).output,
            "delivered_events    0 removed\nfinished_instances  0 removed\n");
  const auto tried = clean({"--delivered-before", "1h", "--finished-before", "1h", "--dry-run"});
  EXPECT_EQ(tried.output, "delivered_events    1 would be removed\nfinished_instances  1 would be removed\n");
  EXPECT_EQ(ids({}), "P-1 P-2 P-3");
  const auto done = clean({"--finished-before", "1h", "--json"});
  EXPECT_EQ(done.code, 0) << done.output;
  EXPECT_EQ(done.output, "{\"dry_run\":false,\"finished_instances\":1}\n");
  EXPECT_EQ(ids({}), "P-1 P-3");
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM workflow_history WHERE instance_id = 'P-2'"), 0);
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM workflow_history"), 1);
  EXPECT_EQ(events(), (words{"E-1", "E-2", "E-3"}));
  EXPECT_EQ(clean({"--delivered-before", "1h"}).code, 0);
  EXPECT_EQ(events(), (words{"E-1", "E-3"}));
  EXPECT_EQ(clean({"--dead-before", "1h"}).code, 0);
  EXPECT_EQ(events(), words{"E-1"});
  const auto gone = romancy({"workflow", "show", "P-2", "--database", file});
  EXPECT_EQ(gone.code, 1);
  EXPECT_NE(gone.output.find("it has been removed"), std::string::npos) << gone.output;
}

TEST_F(CommandLineCleaning, RemovesAllThereIsInSmallTransactions) {
  database_file outside{file};
  outside.db().begin();
  outside.db().session()
      << "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 95) INSERT INTO "
         "workflow_instances (instance_id, workflow_name, status, input_data, started_at, finished_at) "
         "SELECT 'N-' || i, 'other', 'failed', '[]', '2026-01-02', '2026-01-03' FROM n";
  outside.db().commit();
  EXPECT_EQ(clean({"--finished-before", "1h", "--batch", "10"}).output, "finished_instances  96 removed\n");
  EXPECT_EQ(ids({}), "P-1 P-3");
}

TEST_F(CommandLineCleaning, RemovesNothingWithoutBeingToldWhatAndHowOld) {
  for (const words& wrong : {words{}, words{"--dry-run"}, words{"--finished-before", "old"},
                             words{"--finished-before", "1h", "--batch", "0"}}) {
    const auto refused = clean(wrong);
    EXPECT_EQ(refused.code, 2) << refused.output;
    EXPECT_EQ(std::count(refused.output.begin(), refused.output.end(), '\n'), 1) << refused.output;
  }
  EXPECT_NE(clean({}).output.find("--finished-before"), std::string::npos);
  EXPECT_EQ(ids({}), "P-1 P-2 P-3");
}

} // namespace
} // namespace romancy::testing
