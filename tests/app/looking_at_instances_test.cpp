#include "tests/app/running_app.hpp"
#include "tests/support/database_view.hpp"
#include "tests/support/private_server.hpp"
#include "tests/support/test_database.hpp"

namespace romancy::testing {
namespace {

class LookingAtInstances : public ::testing::TestWithParam<database_url::backend> {};

TEST_P(LookingAtInstances, GoesOnWhenTheServerHasBeenRestarted) {
  private_server server{GetParam()};
  app<say> app{{.database = server.url()}};
  const auto run = app.start<say>("hello");
  EXPECT_EQ(run.result(), "hello");
  server.crash();
  try {
    static_cast<void>(run.status());
    ADD_FAILURE() << "there is no server";
  } catch (const storage_error& e) {
    EXPECT_TRUE(e.retryable()) << e.what();
  }
  server.start();
  EXPECT_EQ(run.status(), instance_status::completed);
  EXPECT_EQ(app.start<say>("again").result(), "again");
}

TEST_P(LookingAtInstances, HoldsUpNoChangeOfTheTables) {
  const test_database fresh{GetParam()};
  app<say> app{{.database = fresh.url()}};
  const auto run = app.start<say>("hello");
  EXPECT_EQ(run.result(), "hello");
  EXPECT_EQ(run.status(), instance_status::completed);
  database_view outside{fresh.url()};
  outside.run(fresh.kind() == database_url::backend::mysql ? "SET lock_wait_timeout = 10" : "SET lock_timeout = 10000");
  EXPECT_NO_THROW(outside.run("ALTER TABLE workflow_instances ADD COLUMN one_more INTEGER"));
  EXPECT_EQ(app.start<say>("again").result(), "again");
}

ROMANCY_ON_EVERY_SERVER(LookingAtInstances);

} // namespace
} // namespace romancy::testing
