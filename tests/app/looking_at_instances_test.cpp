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

class StorageOfAnApp : public on_every_database {};

TEST_P(StorageOfAnApp, ListsInstancesPageAfterPageAndShowsOne) {
  app<say, shout> app{{.database = fresh.url()}};
  for (const auto* text : {"one", "two", "three"}) EXPECT_EQ(app.start<say>(text, instance_id{text}).result(), text);
  EXPECT_THROW(static_cast<void>(app.start<shout>("four", instance_id{"four"}).result()), instance_failed);
  const auto storage = app.storage();
  std::string found;
  instance_filter wanted{.limit = 3};
  do {
    const auto page = storage.list_instances(wanted);
    for (const auto& instance : page.items) found += instance.instance_id + ' ';
    wanted.page = page.next;
    found += "| ";
  } while (!wanted.page.empty());
  EXPECT_EQ(found, "one two three | four | ");
  const auto by_input = storage.list_instances({.input = {{"$[0]", "two"}}});
  ASSERT_EQ(by_input.items.size(), 1U);
  EXPECT_EQ(by_input.items[0].output, "\"two\"");
  EXPECT_EQ(storage.list_instances({.statuses = {instance_status::failed}}).items.at(0).error, "too loud: four!");
  const auto one = storage.find_instance("one").value();
  ASSERT_EQ(one.history.size(), 1U);
  EXPECT_EQ(one.history[0].activity_id, "echo:1");
  EXPECT_EQ(one.pending_events.size(), 1U);
  EXPECT_LE(one.history[0].took, one.instance.duration().value());
  EXPECT_FALSE(storage.find_instance("none"));
  EXPECT_THROW(static_cast<void>(storage.list_instances({.limit = 0})), query_error);
}

TEST_P(StorageOfAnApp, ForgetsWhatItsRetentionRemovesWhoseIdIsFreeAgain) {
  app<say> app{
      {.database = fresh.url(), .retention = {.finished_instances = 1ms, .delivered_events = 1ms, .interval = 1ms}}};
  EXPECT_EQ(app.start<say>("hello", instance_id{"I"}).result(), "hello");
  database_view outside{fresh.url()};
  outside.run("UPDATE outbox_events SET status = 'published', published_at = created_at");
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM workflow_instances", 0));
  EXPECT_TRUE(outside.becomes("SELECT count(*) FROM outbox_events", 0));
  EXPECT_FALSE(app.storage().find_instance("I"));
  EXPECT_THROW(static_cast<void>(app.find<say>("I")), error);
  EXPECT_EQ(app.start<say>("other", instance_id{"I"}).id(), "I");
}

ROMANCY_ON_EVERY_DATABASE(StorageOfAnApp);

} // namespace
} // namespace romancy::testing
