#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include <romancy/error.hpp>

#include "storage/database.hpp"
#include "storage/host_process.hpp"
#include "storage/migrations.hpp"
#include "storage/outbox_reader.hpp"
#include "storage/storage_failure.hpp"
#include "storage/tables.hpp"
#include "storage/timestamp.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/temporary_directory.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

std::string path_of(const char* url) { return database_url::parse(url).path; }

TEST(DatabaseUrl, ReadsPathsAndUrls) {
  EXPECT_EQ(path_of("orders.db"), "orders.db");
  EXPECT_EQ(path_of("sqlite3://orders.db"), "orders.db");
  EXPECT_EQ(path_of("sqlite3:///var/lib/orders.db"), "/var/lib/orders.db");
  EXPECT_EQ(path_of("sqlite3://a%20b%3f.db"), "a b?.db");
}

TEST(DatabaseUrl, RefusesWhatItCannotOpenAndNamesTheRemedy) {
  const auto refuse = [](const char* url) { return refusal<startup_error>([&] { database_url::parse(url); }); };
  EXPECT_NE(refuse("").find("no database given"), std::string::npos);
  EXPECT_NE(refuse("oracle://host/db").find("unknown scheme 'oracle': use sqlite3://path"), std::string::npos);
  EXPECT_NE(refuse("postgresql://user:secret@host/db").find("SQLite only"), std::string::npos);
  EXPECT_NE(refuse("sqlite3://a.db?mode=ro").find("options after '?'"), std::string::npos);
  EXPECT_NE(refuse("sqlite3://a%2").find("hexadecimal"), std::string::npos);
  EXPECT_NE(refuse(":memory:").find("outlives its process"), std::string::npos);
}

TEST(DatabaseUrl, NeverShowsAPassword) {
  const auto text = refusal<startup_error>([] { database_url::parse("postgresql://user:secret@host/db"); });
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
}

TEST(Timestamp, KeepsMicrosecondsAndReadsWhatDatabasesWrite) {
  const auto time = time_point{std::chrono::sys_days{std::chrono::year{2026} / 2 / 28}} + 23h + 59min + 58s + 123456us;
  EXPECT_EQ(to_text(time), "2026-02-28 23:59:58.123456");
  EXPECT_EQ(to_time_point(to_text(time)), time);
  EXPECT_EQ(to_time_point("2026-02-28T23:59:58"), time - 123456us);
  EXPECT_EQ(to_time_point("2026-02-28 23:59:58.5"), time - 123456us + 500ms);
  EXPECT_THROW(to_time_point("yesterday"), storage_error);
}

class Database : public ::testing::Test {
protected:
  temporary_directory directory;
  std::string file = directory.file("test.db");
  database_url url = database_url::parse(file);

  std::unique_ptr<database> open(std::chrono::milliseconds patience = 1s) { return database::open(url, {}, patience); }
  std::string why_not_open() {
    return refusal<startup_error>([&] { open(50ms); });
  }
};

TEST_F(Database, NamesAMissingDirectory) {
  url.path = directory.file("nowhere/test.db");
  EXPECT_NE(why_not_open().find("nowhere' does not exist: create it"), std::string::npos) << why_not_open();
}

TEST_F(Database, NamesAFileThatIsNoDatabase) {
  std::ofstream{file} << std::string(5000, 'x');
  EXPECT_NE(why_not_open().find("no SQLite database"), std::string::npos) << why_not_open();
}

TEST_F(Database, SaysThatItIsLocked) {
  const auto holder = open();
  holder->session() << "PRAGMA locking_mode = EXCLUSIVE";
  holder->session() << "CREATE TABLE t (x)";
  EXPECT_NE(why_not_open().find("locked by another process"), std::string::npos) << why_not_open();
}

TEST_F(Database, RefusesASchemaThatIsNewerThanTheCode) {
  const auto db = open();
  migrations::apply(*db);
  db->session() << "INSERT INTO romancy_schema (version, name) VALUES (9999, 'tomorrow')";
  const auto why = refusal<startup_error>([&] { migrations::apply(*db); });
  EXPECT_NE(why.find("schema version 9999"), std::string::npos) << why;
  EXPECT_NE(why.find("newer version of the program"), std::string::npos) << why;
}

TEST_F(Database, MigratesOnceWhenManyStartAtTheSameTime) {
  std::vector<std::jthread> starters;
  std::atomic<int> applied{0};
  for (int i = 0; i < 8; ++i)
    starters.emplace_back([&] {
      const auto db = open(20s);
      for (;;) try {
          applied += static_cast<int>(migrations::apply(*db).size());
          return;
        } catch (const storage_failure& e) {
          if (!e.retryable()) throw;
        }
    });
  starters.clear();
  EXPECT_EQ(applied, migrations::newest());
}

TEST_F(Database, RefusesTransactionStatementsOnlyWhileItIsLent) {
  const auto db = open();
  db->begin();
  db->lend();
  for (const auto* text : {"COMMIT", "ROLLBACK", "END", "SAVEPOINT x", "RELEASE romancy_0", "PRAGMA query_only = ON",
                           "ATTACH ':memory:' AS m", "CREATE TEMP TABLE t (x)"})
    EXPECT_THROW(db->session() << text, soci::soci_error) << text;
  EXPECT_EQ(db->refused(), "COMMIT");
  db->take_back();
  EXPECT_TRUE(db->in_transaction());
  db->commit();
}

TEST_F(Database, CommitsNothingThatUserCodeWritesAfterItsTransactionHasEnded) {
  const auto db = open();
  db->session() << "CREATE TABLE t (x INTEGER PRIMARY KEY)";
  db->begin();
  db->open_savepoint(0);
  db->lend();
  db->session() << "INSERT INTO t VALUES (1)";
  EXPECT_THROW(db->session() << "INSERT OR ROLLBACK INTO t VALUES (1)", soci::soci_error);
  EXPECT_FALSE(db->in_transaction());
  EXPECT_THROW(db->session() << "INSERT INTO t VALUES (2)", soci::soci_error);
  EXPECT_THROW(db->open_savepoint(1), storage_failure); // it would begin a transaction, and its release commit it
  db->take_back();
  int rows = -1;
  db->session() << "SELECT count(*) FROM t", soci::into(rows);
  EXPECT_EQ(rows, 0);
}

class Tables : public Database {
protected:
  std::unique_ptr<database> db = open();
  std::unique_ptr<tables> all;
  time_point now = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

  Tables() {
    migrations::apply(*db);
    all = std::make_unique<tables>(*db);
  }
  event_record event(const std::string& id) {
    event_record record;
    record.id = id;
    record.type = "t";
    record.source = "s";
    record.data = "{}";
    record.created_at = now;
    return record;
  }
};

TEST_F(Tables, ClaimEventsInOrderAndOnlyOnce) {
  for (const auto* id : {"c", "a", "b"}) all->outbox.insert(event(id));
  const auto first = all->outbox.claim("one", 2, now);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].id, "c");
  EXPECT_EQ(first[1].id, "a");
  EXPECT_EQ(all->outbox.claim("two", 9, now).size(), 1U);
  EXPECT_TRUE(all->outbox.claim("two", 9, now).empty());
  EXPECT_FALSE(all->outbox.mark("two", {"c", outbox_status::published, false, "", {}}, now));
  EXPECT_TRUE(all->outbox.mark("one", {"c", outbox_status::published, false, "", {}}, now));
  EXPECT_FALSE(all->outbox.mark("one", {"c", outbox_status::failed, false, "", {}}, now)); // final
}

TEST_F(Tables, RefuseAnEventIdThatIsTaken) {
  all->outbox.insert(event("a"));
  const auto why = refusal<storage_failure>([&] { all->outbox.insert(event("a")); });
  EXPECT_NE(why.find("already holds an event with the id 'a'"), std::string::npos) << why;
}

TEST_F(Tables, KeepAnEventWithARowWrittenByHand) {
  db->session()
      << "INSERT INTO outbox_events (event_id, event_type, event_source, event_data) VALUES ('h', 't', 's', '{}')";
  db->session() << "INSERT INTO outbox_events (event_id, event_type, event_source, event_data, created_at) "
                   "VALUES ('bad', 't', 's', '{}', 'yesterday')";
  const auto claimed =
      all->outbox.claim("one", 9, std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()) + 1s);
  ASSERT_EQ(claimed.size(), 2U);
  EXPECT_TRUE(claimed[0].unreadable.empty());
  EXPECT_NE(claimed[1].unreadable.find("yesterday"), std::string::npos);
}

TEST_F(Tables, KeepTheCheckOfTheFiveStatuses) {
  all->outbox.insert(event("a"));
  EXPECT_THROW(db->session() << "UPDATE outbox_events SET status = 'processing'", soci::soci_error);
}

TEST_F(Tables, WriteHistoryOnlyForTheOwnerWithTheRightFence) {
  instance_record instance;
  instance.instance_id = "I";
  instance.workflow = "w";
  instance.input = "[]";
  ASSERT_TRUE(all->instances.insert(instance, "me", now));
  EXPECT_FALSE(all->instances.insert(instance, "me", now));
  EXPECT_TRUE(all->history.insert("I", {"a:1", 1, "ActivityCompleted", "1", 1}, "me", 1, now));
  EXPECT_FALSE(all->history.insert("I", {"a:2", 2, "ActivityCompleted", "1", 1}, "you", 1, now));
  EXPECT_FALSE(all->history.insert("I", {"a:2", 2, "ActivityCompleted", "1", 1}, "me", 0, now));
  all->instances.release("me");
  const auto claimed = all->instances.claim("you", {"w"}, 9);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].fence, 2);
  EXPECT_FALSE(all->history.insert("I", {"a:2", 2, "ActivityCompleted", "1", 1}, "me", 1, now));
  EXPECT_TRUE(all->instances.claim("you", {"w"}, 9).empty());
  EXPECT_THROW(all->history.insert("I", {"a:1", 1, "ActivityCompleted", "1", 1}, "you", 2, now), storage_failure);
}

TEST_F(Tables, FindDeadWorkersByTheirLeaseAndByTheirProcess) {
  all->epochs.insert("me", "w", now, 10s);
  EXPECT_TRUE(all->epochs.exists("me"));
  const auto self = host_process::self();
  db->session() << "INSERT INTO worker_epochs VALUES ('silent', 'w', 'elsewhere', '1:1', '2026', '2025-12-31 23:59:59')";
  db->session() << "INSERT INTO worker_epochs VALUES ('busy', 'w', 'elsewhere', '1:1', '2026', '2026-01-01 00:00:09')";
  db->session() << "INSERT INTO worker_epochs VALUES ('killed', 'w', :host, '999999:1', '2026', '2026-01-01 00:00:09')",
      soci::use(self.host);
  EXPECT_EQ(all->epochs.remove_dead("me", now), (std::vector<std::string>{"silent", "killed"}));
}

TEST(HostProcess, KnowsWhoRunsAndWhoDoesNot) {
  const auto self = host_process::self();
  ASSERT_FALSE(self.host.empty());
  EXPECT_FALSE(host_process::is_gone(self.host, self.process));
  EXPECT_FALSE(host_process::is_gone("another host", "999999:1"));
  EXPECT_TRUE(host_process::is_gone(self.host, "999999:1"));
  EXPECT_TRUE(host_process::is_gone(self.host,
                                    self.process.substr(0, self.process.find(':')) + ":1")); // its number went to another
}

TEST_F(Tables, RedriveOnlyWhatIsDead) {
  for (const auto* id : {"a", "b", "c"}) all->outbox.insert(event(id));
  db->session() << "UPDATE outbox_events SET status = 'failed', retry_count = 3 WHERE event_id = 'a'";
  db->session() << "UPDATE outbox_events SET status = 'published' WHERE event_id = 'b'";
  EXPECT_EQ(all->outbox.redrive("", "t", "", now), 1);
  EXPECT_EQ(outbox_reader{*db}.status_counts().at(outbox_status::pending), 2);
}

} // namespace
} // namespace romancy::testing
