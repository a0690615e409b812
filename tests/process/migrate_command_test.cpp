// romancy migrate, on every database.
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>

#include "storage/migrations.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/test_database.hpp"
#include "tests/support/version_1.hpp"

namespace romancy::testing {
namespace {

class MigrateCommand : public on_every_database {
protected:
  finished_process migrate(const std::vector<std::string>& flags = {}) {
    std::vector<std::string> arguments{romancy_program, "migrate", "--database", fresh.url()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const auto done = run_process(arguments);
    EXPECT_EQ(done.output.find("p@ss"), std::string::npos) << done.output;
    EXPECT_EQ(done.output.find("p%40ss"), std::string::npos) << done.output;
    return done;
  }
  nlohmann::json json(std::vector<std::string> flags) {
    flags.emplace_back("--json");
    const auto output = migrate(flags).output;
    return nlohmann::json::parse(output.substr(0, output.find('\n')));
  }
  std::unique_ptr<database> open() const { return database::open(url, {}, std::chrono::seconds{10}); }
  const std::string newest = std::to_string(migrations::newest());
};

TEST_P(MigrateCommand, AppliesWhatIsMissing) {
  std::string all;
  for (const auto& step : migrations::all(dialect_of(url))) all += "applied " + std::string{step.name} + '\n';
  EXPECT_TRUE(all.starts_with("applied 0001_initial\napplied 0002_cancel_and_resume\n")) << all;
  EXPECT_EQ(migrate({"--apply"}).output, all + "schema version " + newest + "\n");
  EXPECT_EQ(migrate().output, "schema version " + newest + ", nothing to do\n");
  EXPECT_EQ(json({}).dump(), R"({"applied":[],"version":)" + newest + "}");
}

TEST_P(MigrateCommand, PlansWithoutChangingAnything) {
  for (int i = 0; i < 2; ++i) {
    const auto plan = migrate({"--plan"});
    EXPECT_EQ(plan.code, 0);
    EXPECT_EQ(plan.output.find("-- schema version 0 becomes " + newest + " by " + newest + " steps\n"), 0U)
        << plan.output;
    EXPECT_NE(plan.output.find("CREATE TABLE"), std::string::npos) << plan.output;
    EXPECT_NE(plan.output.find("-- step 0002_cancel_and_resume\n"), std::string::npos) << plan.output;
  }
  EXPECT_FALSE(is(database_url::backend::sqlite3) && std::filesystem::exists(url.path));
  make_version_1(*open());
  EXPECT_EQ(migrate({"--plan"}).output.find("-- schema version 1 becomes " + newest), 0U);
  EXPECT_EQ(migrate({"--plan"}).output.find("0001_initial"), std::string::npos);
  const auto object = json({"--plan"});
  EXPECT_EQ(object["version"], 1);
  EXPECT_EQ(object["steps"].at(0)["name"], "0002_cancel_and_resume");
  EXPECT_NE(object["steps"].at(0)["sql"].get<std::string>().find("ALTER TABLE"), std::string::npos);
  EXPECT_EQ(migrations::current(*open()), 1);
  migrate();
  EXPECT_EQ(migrate({"--plan"}).output, "-- schema version " + newest + ", nothing to do\n");
  EXPECT_EQ(json({"--plan"})["steps"].size(), 0U);
}

TEST_P(MigrateCommand, PlansWhatCanBeRunByHand) {
  const auto plan = migrate({"--plan"}).output;
  const auto db = open();
  db->begin();
  for (const auto& statement : migrations::statements(plan)) db->session() << statement;
  db->commit();
  EXPECT_EQ(migrate({"--check"}).code, 0);
}

TEST_P(MigrateCommand, ChecksWithoutChangingAnything) {
  const auto none = migrate({"--check"});
  EXPECT_EQ(none.code, 1);
  EXPECT_NE(none.output.find("with romancy migrate\n"), std::string::npos) << none.output;
  EXPECT_FALSE(is(database_url::backend::sqlite3) && std::filesystem::exists(url.path));
  make_version_1(*open());
  const auto old = migrate({"--check"});
  EXPECT_EQ(old.code, 1);
  EXPECT_EQ(old.output, "romancy: database '" + url.shown + "': its schema has version 1, this program reads version " +
                            newest + ": bring it up to date with romancy migrate\n");
  EXPECT_EQ(json({"--check"}).dump(), R"({"current":false,"newest":)" + newest + R"(,"version":1})");
  EXPECT_EQ(migrations::current(*open()), 1);
  migrate();
  const auto current = migrate({"--check"});
  EXPECT_EQ(current.code, 0);
  EXPECT_EQ(current.output, "schema version " + newest + ", nothing to do\n");
  EXPECT_EQ(json({"--check"})["current"], true);
}

TEST_P(MigrateCommand, LeavesADatabaseOfANewerProgramAlone) {
  migrate();
  {
    const auto db = open();
    db->begin();
    db->session() << "INSERT INTO romancy_schema (version, name) VALUES (9999, 'tomorrow')";
    db->commit();
  }
  for (const auto* flag : {"--apply", "--plan", "--check"}) {
    const auto refused = migrate({flag});
    EXPECT_EQ(refused.code, 1) << flag;
    EXPECT_EQ(refused.output, "romancy: database '" + url.shown +
                                  "': the database has schema version 9999, this program "
                                  "knows up to " +
                                  newest + ": run a newer version of the program\n");
  }
}

TEST_P(MigrateCommand, DoesOneThingAtATime) {
  for (const auto& two :
       std::vector<std::vector<std::string>>{{"--plan", "--apply"}, {"--plan", "--check"}, {"--check", "--apply"}}) {
    const auto refused = migrate(two);
    EXPECT_EQ(refused.code, 2);
    EXPECT_NE(refused.output.find("excludes"), std::string::npos) << refused.output;
  }
}

TEST_P(MigrateCommand, NeverShowsAPasswordInHelpOrUsage) {
  ::setenv("ROMANCY_DATABASE_URL", "postgresql://user:s3cret@host/db", 1);
  for (const auto& command :
       std::vector<std::vector<std::string>>{{"migrate"}, {"relay"}, {"outbox", "status"}, {"workflow", "list"}}) {
    for (const auto* last : {"--help", "--nonsense", "postgresql://user:s3cret@host/db"}) {
      std::vector<std::string> arguments{romancy_program};
      arguments.insert(arguments.end(), command.begin(), command.end());
      arguments.emplace_back(last);
      const auto done = run_process(arguments);
      EXPECT_EQ(done.code, std::string_view{last} == "--help" ? 0 : 2) << done.output;
      EXPECT_EQ(done.output.find("s3cret"), std::string::npos) << done.output;
    }
  }
  ::unsetenv("ROMANCY_DATABASE_URL");
}

ROMANCY_ON_EVERY_DATABASE(MigrateCommand);

} // namespace
} // namespace romancy::testing
