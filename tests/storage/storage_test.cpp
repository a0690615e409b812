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
#include "tests/support/database_file.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/version_1.hpp"

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

TEST(DatabaseUrl, ReadsServersWithAllTheirParts) {
  const auto url = database_url::parse(
      "postgresql://app%40corp:s%3Acret@db.example:6432/my%20orders?sslmode=require&"
      "application_name=a%26b");
  EXPECT_EQ(url.kind, database_url::backend::postgresql);
  EXPECT_EQ(url.user, "app@corp");
  EXPECT_EQ(url.password, "s:cret");
  EXPECT_EQ(url.host, "db.example");
  EXPECT_EQ(url.port, 6432);
  EXPECT_EQ(url.path, "my orders");
  EXPECT_EQ(url.options, (std::map<std::string, std::string>{{"sslmode", "require"}, {"application_name", "a&b"}}));
  const auto socket = database_url::parse("postgres://%2Fvar%2Frun%2Fpostgresql/orders");
  EXPECT_EQ(socket.host, "/var/run/postgresql");
  EXPECT_EQ(socket.port, 0);
  const auto maria = database_url::parse("mariadb://root@[::1]:3307/orders?unix_socket=/tmp/m.sock");
  EXPECT_EQ(maria.kind, database_url::backend::mysql);
  EXPECT_EQ(maria.host, "::1");
  EXPECT_EQ(maria.port, 3307);
  EXPECT_EQ(maria.options.at("unix_socket"), "/tmp/m.sock");
}

TEST(DatabaseUrl, RefusesWhatItCannotOpenAndNamesTheRemedy) {
  const auto refuse = [](const char* url) { return refusal<startup_error>([&] { database_url::parse(url); }); };
  EXPECT_NE(refuse("").find("no database given"), std::string::npos);
  EXPECT_NE(refuse("oracle://host/db").find("unknown scheme 'oracle': use sqlite3://path"), std::string::npos);
  EXPECT_NE(refuse("sqlite3://a.db?mode=ro").find("options after '?'"), std::string::npos);
  EXPECT_NE(refuse("sqlite3://a%2").find("hexadecimal"), std::string::npos);
  EXPECT_NE(refuse(":memory:").find("outlives its process"), std::string::npos);
  EXPECT_NE(refuse("postgresql://host").find("names no database"), std::string::npos);
  EXPECT_NE(refuse("postgresql://host/").find("names no database"), std::string::npos);
  EXPECT_NE(refuse("mysql://host:port/db").find("the port 'port': use a number"), std::string::npos);
  EXPECT_NE(refuse("mysql://host:70000/db").find("the port '70000'"), std::string::npos);
  EXPECT_NE(refuse("mysql://a,b/db").find("several hosts"), std::string::npos);
  EXPECT_NE(refuse("mysql://host/db?sslmode=require").find("unknown option 'sslmode': known are connect_timeout"),
            std::string::npos);
  EXPECT_NE(refuse("postgresql://host/db?connect_timeout").find("write it as name=value"), std::string::npos);
  EXPECT_NE(refuse("postgresql://host/db?a=1&a=2").find("the option 'a' twice"), std::string::npos);
}

TEST(DatabaseUrl, NeverShowsAPassword) {
  for (const auto* password : {"secret", "sec:ret", "sec@ret", "sec/ret", "sec?ret", "sec%40ret", "sec%zzret"}) {
    const auto url = "postgresql://user:" + std::string{password} + "@host:1x/db?a";
    const auto why = refusal<startup_error>([&] { database_url::parse(url); });
    EXPECT_EQ(why.find("ret"), std::string::npos) << why;
    EXPECT_NE(why.find("postgresql://user:***@host"), std::string::npos) << why;
    EXPECT_EQ(without_password(url), "postgresql://user:***@host:1x/db?a");
  }
  EXPECT_EQ(database_url::parse("mysql://user:secret@host/db").shown, "mysql://user:***@host/db");
  const auto among_options = refusal<startup_error>([] { database_url::parse("postgresql://host/db?password=secret"); });
  EXPECT_NE(among_options.find("write it as user:password@host"), std::string::npos) << among_options;
  EXPECT_EQ(among_options.find("secret"), std::string::npos) << among_options;
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

TEST_F(Database, NamesItsFileWhenTheWriteLockDoesNotComeInTime) {
  const auto holder = open();
  const auto db = database::open(url, {.busy_timeout = 20ms}, 1s);
  holder->begin();
  const auto why = refusal<storage_failure>([&] { db->begin(); });
  EXPECT_EQ(why.find("cannot begin a transaction in '" + file + "'"), 0U) << why;
  EXPECT_NE(why.find("another process holds the lock"), std::string::npos) << why;
  holder->roll_back();
  EXPECT_NO_THROW(db->begin());
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

TEST_F(Database, IsCheckedWithoutBeingChanged) {
  const auto db = open();
  const auto why = [&] { return refusal<startup_error>([&] { migrations::check(*db); }); };
  EXPECT_NE(why().find("no tables of Romancy yet: make them with romancy migrate"), std::string::npos) << why();
  EXPECT_EQ(migrations::current(*db), 0);
  make_version_1(*db);
  EXPECT_EQ(why(), "its schema has version 1, this program reads version " + std::to_string(migrations::newest()) +
                       ": bring it up to date with romancy migrate");
  EXPECT_EQ(migrations::current(*db), 1);
  migrations::apply(*db);
  EXPECT_EQ(why(), "");
  db->session() << "INSERT INTO romancy_schema (version, name) VALUES (9999, 'tomorrow')";
  EXPECT_NE(why().find("schema version 9999"), std::string::npos) << why();
  EXPECT_NE(why().find("newer version of the program"), std::string::npos) << why();
}

TEST_F(Database, KeepsItsRowsWhenItIsMigratedFromVersion1) {
  database_file db{file};
  make_version_1_with_orders(db.db());
  const auto version_1 = selects(db);
  const auto before = rows(db, version_1);
  ASSERT_GE(before.size(), 15U);
  const auto applied = migrations::apply(db.db());
  EXPECT_EQ(applied.size(), migrations::all(sqlite3_dialect).size() - 1);
  EXPECT_EQ(applied.front(), "0002_cancel_and_resume");
  EXPECT_EQ(db.texts("SELECT name FROM romancy_schema ORDER BY version").front(), "0001_initial");
  EXPECT_EQ(migrations::current(db.db()), migrations::newest());
  EXPECT_TRUE(migrations::apply(db.db()).empty());
  EXPECT_EQ(rows(db, after_version_1(version_1)), before);

  // The same schema as that of a new one.
  database_file fresh{directory.file("fresh.db")};
  static_cast<void>(migrations::apply(fresh.db()));
  const std::string schema =
      "SELECT name || ': ' || sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND "
      "name NOT IN ('romancy_schema', 'orders') ORDER BY name";
  EXPECT_EQ(db.texts(schema), fresh.texts(schema));

  tables all{db.db()};
  const auto of_dead = all.epochs.remove_dead("me", time_point{std::chrono::sys_days{std::chrono::year{2026} / 2 / 1}});
  ASSERT_EQ(of_dead, std::vector<std::string>{"dead"});
  all.instances.release("dead");
  const auto claimed = all.instances.claim("me", {"process_order"}, 9);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].instance_id, "P-1");
  EXPECT_EQ(claimed[0].fence, 2);
  EXPECT_EQ(claimed[0].cancel_reason, "");
  EXPECT_EQ(all.history.load("P-1").size(), 1U);
  EXPECT_EQ(all.compensations.remaining("P-3").size(), 1U);
}

TEST_F(Database, LetsGoOnOrUndoesWhatVersion1HasParked) {
  const auto db = open();
  make_version_1_with_orders(*db);
  db->session() << "UPDATE workflow_instances SET status = 'parked', error = 'history disagrees', owner_epoch = NULL "
                   "WHERE instance_id = 'P-1'";
  migrations::apply(*db);
  instance_table instances{*db};
  EXPECT_EQ(instances.find("P-1")->error, "history disagrees");
  EXPECT_EQ(instances.resume("P-1", ""), 1);
  EXPECT_EQ(instances.find("P-1")->status, instance_status::running);
  EXPECT_EQ(instances.find("P-1")->error, ""); // nothing keeps it from completing any more
  EXPECT_TRUE(instances.request_cancel({"P-3", "an operator"}));
  EXPECT_EQ(instances.find("P-3")->status, instance_status::compensating);
  EXPECT_EQ(instances.find("P-3")->cancel_reason, "an operator");
}

TEST_F(Database, IsMigratedFromVersion1OnceWhenManyStartAtTheSameTime) {
  make_version_1_with_orders(*open());
  std::vector<std::jthread> starters;
  std::atomic<std::size_t> applied{0};
  for (int i = 0; i < 8; ++i)
    starters.emplace_back([&] {
      const auto db = open(20s);
      for (;;) try {
          applied += migrations::apply(*db).size();
          return;
        } catch (const storage_failure& e) {
          if (!e.retryable()) throw;
        }
    });
  starters.clear();
  EXPECT_EQ(applied, migrations::all(sqlite3_dialect).size() - 1);
}

TEST_F(Database, StaysAsItWasWhenAMigrationCannotBeApplied) {
  database_file db{file};
  make_version_1_with_orders(db.db());
  db.db().session() << "CREATE INDEX idx_instances_cancel ON workflow_instances(error)"; // of the next version, too
  const auto before = selects(db);
  const auto why = refusal<storage_failure>([&] { static_cast<void>(migrations::apply(db.db())); });
  EXPECT_NE(why.find("idx_instances_cancel"), std::string::npos) << why;
  EXPECT_FALSE(db.db().in_transaction());
  EXPECT_EQ(migrations::current(db.db()), 1);
  EXPECT_EQ(selects(db), before);
  db.db().session() << "DROP INDEX idx_instances_cancel";
  EXPECT_EQ(migrations::apply(db.db()).size(), migrations::all(sqlite3_dialect).size() - 1);
}

TEST_F(Database, EnforcesForeignKeysAndKnowsWhichAreOwed) {
  const auto db = open();
  db->session() << "CREATE TABLE parents (id INTEGER PRIMARY KEY)";
  db->session() << "CREATE TABLE children (parent INTEGER REFERENCES parents(id))";
  db->session() << "CREATE TABLE orphans (parent INTEGER REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED)";
  try {
    db->session() << "INSERT INTO children VALUES (1)";
    FAIL() << "it is refused at once";
  } catch (const soci::soci_error& e) {
    const auto failure = storage_failure::from(e, "write");
    EXPECT_EQ(failure.kind(), failure_kind::constraint_violation);
    EXPECT_FALSE(failure.retryable());
  }

  db->begin();
  EXPECT_FALSE(db->owes_foreign_keys());
  db->open_savepoint(0);
  db->session() << "INSERT INTO orphans VALUES (1)";
  EXPECT_TRUE(db->owes_foreign_keys());
  db->session() << "INSERT INTO parents VALUES (1)";
  EXPECT_FALSE(db->owes_foreign_keys());
  db->release_savepoint(0);
  db->open_savepoint(0);
  db->session() << "INSERT INTO orphans VALUES (2)";
  EXPECT_TRUE(db->owes_foreign_keys());
  db->roll_back_savepoint(0);
  EXPECT_FALSE(db->owes_foreign_keys());
  db->commit();

  db->begin();
  db->session() << "INSERT INTO orphans VALUES (3)";
  EXPECT_TRUE(db->owes_foreign_keys());
  EXPECT_THROW(db->commit(), storage_failure);
  db->roll_back();
  EXPECT_FALSE(db->owes_foreign_keys());
  int rows = -1;
  db->session() << "SELECT count(*) FROM orphans", soci::into(rows);
  EXPECT_EQ(rows, 1);
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

class Instances : public Tables {
protected:
  instance_table& instances = all->instances;

  void start(const std::string& id, const std::string& owner = "me", const std::string& workflow = "w") {
    instance_record instance;
    instance.instance_id = id;
    instance.workflow = workflow;
    instance.input = "[]";
    ASSERT_TRUE(instances.insert(instance, owner, now));
  }
  /// Ends it, or parks it, as its owner does.
  void finish(const std::string& id, instance_status status, const std::string& error = {},
              const std::string& owner = "me") {
    instance_record finished;
    finished.instance_id = id;
    finished.fence = 1;
    finished.status = status;
    finished.output = status == instance_status::completed ? "1" : "";
    finished.error = error;
    ASSERT_TRUE(instances.finish(finished, owner, now));
  }
  std::string requests(const std::string& owner) {
    std::string text;
    for (const auto& request : instances.cancel_requests(owner)) text += request.instance_id + '=' + request.reason + ' ';
    return text;
  }
  /// "running no money", what is there of status, error and reason to cancel.
  std::string state(const std::string& id) {
    const auto found = instances.find(id).value_or(instance_record{});
    std::string text{to_string(found.status)};
    if (!found.error.empty()) text += ", " + found.error;
    if (!found.cancel_reason.empty()) text += ", cancel: " + found.cancel_reason;
    return text;
  }
};

TEST_F(Instances, AreCancelledByTheirOwnerWhichLooksForTheRequest) {
  for (const auto* id : {"A", "B"}) start(id);
  start("C", "you");
  EXPECT_EQ(requests("me"), "");
  EXPECT_TRUE(instances.request_cancel({"A", "first"}));
  EXPECT_TRUE(instances.request_cancel({"A", "second"})); // asking twice is asking once
  EXPECT_TRUE(instances.request_cancel({"C", "third"}));
  EXPECT_EQ(state("A"), "running, cancel: first");
  EXPECT_EQ(requests("me"), "A=first ");
  EXPECT_EQ(requests("you"), "C=third ");
  ASSERT_TRUE(instances.begin_compensation("A", "me", 1, "cancelled: first"));
  EXPECT_EQ(requests("me"), ""); // it is being undone
  EXPECT_TRUE(instances.request_cancel({"A", "fourth"}));
  EXPECT_EQ(instances.find("A")->cancel_reason, "first");
  finish("A", instance_status::cancelled, "first");
  EXPECT_EQ(state("A"), "cancelled, first, cancel: first");
  EXPECT_TRUE(instances.request_cancel({"A", "fifth"}));
  EXPECT_EQ(state("A"), "cancelled, first, cancel: first");
}

TEST_F(Instances, TellWhoeverClaimsThemThatTheyAreToBeCancelled) {
  start("A");
  start("B");
  instances.release("me");
  EXPECT_TRUE(instances.request_cancel({"A", "while nobody runs it"}));
  EXPECT_EQ(requests("me"), "");
  const auto claimed = instances.claim("you", {"w"}, 9);
  ASSERT_EQ(claimed.size(), 2U);
  EXPECT_EQ(claimed[0].cancel_reason, "while nobody runs it");
  EXPECT_EQ(claimed[1].cancel_reason, "");
  EXPECT_EQ(requests("you"), "A=while nobody runs it ");
  EXPECT_EQ(requests(""), "");
}

TEST_F(Instances, AreNotCancelledOnceTheyHaveEndedOrAreUndoneForAFailureOfTheirOwn) {
  for (const auto* id : {"completed", "failed", "failing", "too late"}) start(id);
  finish("completed", instance_status::completed);
  ASSERT_TRUE(instances.begin_compensation("failed", "me", 1, "no money"));
  finish("failed", instance_status::failed, "no money");
  ASSERT_TRUE(instances.begin_compensation("failing", "me", 1, "no money"));
  for (const auto* id : {"completed", "failed", "failing"}) {
    const auto before = state(id);
    EXPECT_FALSE(instances.request_cancel({id, "an operator"})) << id;
    EXPECT_EQ(state(id), before);
  }
  // It was asked for, but the instance was just completing.
  EXPECT_TRUE(instances.request_cancel({"too late", "an operator"}));
  finish("too late", instance_status::completed);
  EXPECT_FALSE(instances.request_cancel({"too late", "an operator"}));
  EXPECT_NE(refusal<storage_failure>([&] {
              instances.request_cancel({"Z", "a typo"});
            }).find("there is no instance Z"),
            std::string::npos);
}

TEST_F(Instances, AreUndoneWhenTheyAreCancelledWhileTheyAreParked) {
  start("A");
  finish("A", instance_status::parked, "history disagrees");
  EXPECT_EQ(state("A"), "parked, history disagrees");
  EXPECT_TRUE(instances.claim("you", {"w"}, 9).empty());
  EXPECT_TRUE(instances.request_cancel({"A", "an operator"}));
  EXPECT_EQ(instances.list({.instance_id = "A"}).at(0).finished_at, "");
  const auto claimed = instances.claim("you", {"w"}, 9);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].status, instance_status::compensating);
  EXPECT_EQ(claimed[0].cancel_reason, "an operator");
  EXPECT_EQ(instances.resume("A", ""), 0); // it is not parked any more
}

TEST_F(Instances, KeepTheFirstReasonAlsoWhenTheyAreParkedMeanwhile) {
  start("A");
  EXPECT_TRUE(instances.request_cancel({"A", "first"}));
  ASSERT_TRUE(instances.begin_compensation("A", "me", 1, "cancelled: first"));
  finish("A", instance_status::parked, "there is no compensation");
  EXPECT_TRUE(instances.request_cancel({"A", "second"}));
  EXPECT_EQ(instances.find("A")->cancel_reason, "first");
  EXPECT_EQ(instances.find("A")->status, instance_status::compensating);
}

TEST_F(Instances, GoOnWithWhatTheyWereParkedIn) {
  start("running");
  finish("running", instance_status::parked, "history disagrees");
  start("failing");
  ASSERT_TRUE(instances.begin_compensation("failing", "me", 1, "no money"));
  finish("failing", instance_status::parked, "there is no compensation");
  start("cancelled");
  EXPECT_TRUE(instances.request_cancel({"cancelled", "an operator"}));
  ASSERT_TRUE(instances.begin_compensation("cancelled", "me", 1, "cancelled: an operator"));
  finish("cancelled", instance_status::parked, "there is no compensation");
  EXPECT_EQ(state("failing"), "parked, there is no compensation"); // what is to be mended
  EXPECT_FALSE(instances.list({.instance_id = "failing"}).at(0).finished_at.empty());
  EXPECT_EQ(instances.resume("", ""), 3);
  EXPECT_EQ(state("running"), "running");
  EXPECT_EQ(state("failing"), "compensating, no money"); // what it is undone for
  EXPECT_EQ(state("cancelled"), "compensating, cancelled: an operator, cancel: an operator");
  EXPECT_EQ(instances.list({.instance_id = "failing"}).at(0).finished_at, "");
  EXPECT_EQ(instances.claim("you", {"w"}, 9).size(), 3U);
}

TEST_F(Instances, GoOnOnlyIfTheyAreParkedAndMeant) {
  start("A");
  for (const auto* id : {"B", "C"}) {
    start(id);
    finish(id, instance_status::parked, "history disagrees");
  }
  start("D", "me", "other");
  finish("D", instance_status::parked, "history disagrees");
  start("E");
  finish("E", instance_status::failed, "no money");
  for (const auto* id : {"A", "E", "Z"}) EXPECT_EQ(instances.resume(id, ""), 0) << id;
  EXPECT_EQ(instances.resume("B", "other"), 0);
  EXPECT_EQ(instances.resume("B", "w"), 1);
  EXPECT_EQ(instances.resume("", "w"), 1); // C
  EXPECT_EQ(state("D"), "parked, history disagrees");
  EXPECT_EQ(instances.resume("", ""), 1);
  EXPECT_EQ(state("E"), "failed, no money");
  EXPECT_EQ(instances.list({.status = "running"}).size(), 4U);
}

TEST_F(Instances, CompleteWithoutTheReasonTheyWereParkedFor) {
  start("A");
  finish("A", instance_status::parked, "history disagrees");
  EXPECT_EQ(instances.resume("A", ""), 1);
  const auto claimed = instances.claim("you", {"w"}, 9);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].error, "");
  auto finished = claimed[0];
  finished.status = instance_status::completed;
  finished.output = "1";
  ASSERT_TRUE(instances.finish(finished, "you", now));
  EXPECT_EQ(state("A"), "completed");
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
