// What PostgreSQL and MySQL have in common: logins, lost connections, locks.
#include "storage/server_database.hpp"

#include <filesystem>
#include <optional>
#include <regex>
#include <thread>

#include <romancy/error.hpp>

#include "tests/storage/storage_fixture.hpp"
#include "tests/support/private_server.hpp"

namespace romancy::testing {
namespace {

class ServerDatabase : public connected {
protected:
  std::unique_ptr<database> db = open();

  ServerDatabase() {
    db->session() << "CREATE TABLE t (id INTEGER PRIMARY KEY, x INTEGER NOT NULL)";
    db->begin();
    db->session() << "INSERT INTO t VALUES (1, 0), (2, 0)";
    db->commit();
  }
  bool postgresql() const { return is(database_url::backend::postgresql); }
  void update(database& on, int id, int x = 1) const {
    on.session() << "UPDATE t SET x = :x WHERE id = :id", soci::use(x), soci::use(id);
  }
  /// "1=0 2=0", as another connection sees it.
  std::string committed() const {
    std::string all;
    for (const auto& row : texts(*open(), postgresql() ? "SELECT id || '=' || x FROM t ORDER BY id"
                                                       : "SELECT concat(id, '=', x) FROM t ORDER BY id"))
      all += (all.empty() ? "" : " ") + row;
    return all;
  }
  long long connection_id(database& of) const {
    return number(of, postgresql() ? "SELECT pg_backend_pid()" : "SELECT connection_id()");
  }
  void terminate(long long connection) const {
    const auto sql = database::connect(url);
    *sql << (postgresql() ? "SELECT pg_terminate_backend(" + std::to_string(connection) + ", 5000)"
                          : "KILL CONNECTION " + std::to_string(connection));
  }
  /// Why it is not opened, which must be found out at once.
  static std::string why_not_open(const database_url& at) {
    const auto begin = std::chrono::steady_clock::now();
    const auto why = refusal<startup_error>([&] { static_cast<void>(database::open(at, {}, 1min)); });
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
    EXPECT_EQ(why.find("database '" + at.shown + "': "), 0U) << why;
    return why;
  }
};

TEST_P(ServerDatabase, RefusesAWrongPasswordAtOnceWithoutShowingIt) {
  url.password = "wr0ng-s3cret";
  const auto why = why_not_open(url);
  EXPECT_NE(why.find("check the name of the database, the user and the password"), std::string::npos) << why;
  EXPECT_EQ(why.find("wr0ng"), std::string::npos) << why;
  EXPECT_NE(why.find("romancy:***@127.0.0.1"), std::string::npos) << why;
  url.password = "";
  EXPECT_NE(why_not_open(url).find("the password"), std::string::npos);
}

TEST_P(ServerDatabase, RefusesAnUnknownUserOrDatabaseAtOnce) {
  auto unknown = url;
  unknown.path = "romancy_nowhere";
  EXPECT_NE(why_not_open(unknown).find("romancy_nowhere"), std::string::npos);
  EXPECT_NE(why_not_open(unknown).find("check the name of the database"), std::string::npos);
  unknown = url;
  unknown.user = "nobody";
  EXPECT_NE(why_not_open(unknown).find("check the name of the database, the user"), std::string::npos);
}

TEST_P(ServerDatabase, ShowsNoPasswordInAnyErrorOfAConnection) {
  for (const auto* sql : {"SELECT nonsense FROM nowhere", "INSERT INTO t VALUES (1, 1)"}) {
    db->begin();
    const auto why = refusal<soci::soci_error>([&] { db->session() << sql; });
    EXPECT_EQ(why.find("p@ss"), std::string::npos) << why;
    db->roll_back();
  }
  url.host = "127.0.0.1";
  url.port = 1;
  const auto why = refusal<startup_error>([&] { static_cast<void>(database::open(url, {}, 0ms)); });
  EXPECT_EQ(why.find("p@ss"), std::string::npos) << why;
  EXPECT_EQ(why.find("p%40ss"), std::string::npos) << why;
  EXPECT_NE(why.find("start it, check host and port"), std::string::npos) << why;
}

TEST_P(ServerDatabase, WaitsForAServerThatIsAwayAndSaysSoWhenItStaysAway) {
  private_server server{GetParam()};
  const auto there = database_url::parse(server.url());
  const auto lost = database::open(there, {}, 10s);
  lost->session() << "CREATE TABLE kept (x INTEGER)";
  lost->begin();
  lost->session() << "INSERT INTO kept VALUES (1)";
  lost->commit();
  lost->begin();
  lost->session() << "INSERT INTO kept VALUES (2)";
  server.crash();
  EXPECT_EQ(kind_of_failure([&] { lost->commit(); }), failure_kind::unavailable);
  lost->roll_back();

  const auto why = refusal<startup_error>([&] { static_cast<void>(database::open(there, {}, 300ms)); });
  EXPECT_NE(why.find("database '" + there.shown + "': cannot open the database"), std::string::npos) << why;
  EXPECT_NE(why.find("it was away for 300 ms; start it, check host and port, or raise database_timeout"),
            std::string::npos)
      << why;

  std::jthread starter{[&] { server.start(); }};
  EXPECT_EQ(number(*database::open(there, {}, 1min), "SELECT count(*) FROM kept"), 1);
}

TEST_P(ServerDatabase, IsUnavailableOnceItsConnectionIsEndedAndLeavesNothing) {
  db->begin();
  update(*db, 1);
  terminate(connection_id(*db));
  EXPECT_EQ(kind_of_failure([&] { update(*db, 2); }), failure_kind::unavailable);
  EXPECT_EQ(kind_of_failure([&] { update(*db, 2); }), failure_kind::unavailable); // and stays so
  EXPECT_THROW(db->commit(), storage_failure);
  EXPECT_NO_THROW(db->roll_back());
  EXPECT_EQ(kind_of_failure([&] { db->begin(); }), failure_kind::unavailable);
  EXPECT_EQ(committed(), "1=0 2=0");
}

TEST_P(ServerDatabase, IsUnavailableWhenItsConnectionIsEndedBeforeCommit) {
  db->begin();
  update(*db, 1);
  terminate(connection_id(*db));
  EXPECT_EQ(kind_of_failure([&] { db->commit(); }), failure_kind::unavailable);
  EXPECT_EQ(committed(), "1=0 2=0");
}

TEST_P(ServerDatabase, EndsTheConnectionsOfADeadWorkerByTheirName) {
  const auto dead = open({.name = "romancy worker-1"});
  const auto also_dead = open({.name = "romancy worker-1"});
  const auto alive = open({.name = "romancy worker-10"});
  dead->begin();
  update(*dead, 1);
  alive->begin();
  db->break_connections("romancy worker-1");
  update(*alive, 1, 7); // waits for nobody
  alive->commit();
  EXPECT_EQ(kind_of_failure([&] { dead->commit(); }), failure_kind::unavailable);
  EXPECT_EQ(kind_of_failure([&] { also_dead->begin(); }), failure_kind::unavailable);
  EXPECT_EQ(committed(), "1=7 2=0");
  EXPECT_NO_THROW(db->break_connections("romancy worker-1")); // again
}

TEST_P(ServerDatabase, EndsNoConnectionOfThatNameToAnotherDatabase) {
  const test_database another{GetParam()};
  const auto elsewhere = database::open(database_url::parse(another.url()), {.name = "worker-1"}, 5s);
  const auto here = open({.name = "worker-1"});
  const auto alive = open({});
  alive->break_connections("worker-1");
  EXPECT_EQ(kind_of_failure([&] { here->begin(); }), failure_kind::unavailable);
  EXPECT_NO_THROW(elsewhere->begin());
}

TEST_P(ServerDatabase, DoesNotWaitForALockForEver) {
  const auto holder = open();
  holder->begin();
  update(*holder, 1);
  const auto waiting = open({.busy_timeout = 50ms});
  waiting->begin();
  update(*waiting, 2);
  // MySQL takes back the statement only: the transaction is of no use, but it would go on.
  EXPECT_EQ(kind_of_failure([&] { update(*waiting, 1); }), postgresql() ? failure_kind::busy : failure_kind::conflict);
  EXPECT_EQ(waiting->is_spoiled(), postgresql());
  waiting->roll_back();
  holder->roll_back();
  EXPECT_EQ(committed(), "1=0 2=0");
}

TEST_P(ServerDatabase, LeavesNothingOfATransactionThatADeadlockHasEnded) {
  const auto other = open({.busy_timeout = 1min});
  const auto victim = open({.busy_timeout = 1min});
  // The server ends the one that has written less, or waits for the lock that closes the circle.
  other->begin();
  victim->begin();
  update(*other, 1);
  if (!postgresql()) other->session() << "INSERT INTO t VALUES (3, 0), (4, 0), (5, 0), (6, 0)";
  victim->lend();
  update(*victim, 2);
  std::optional<failure_kind> failed;
  bool other_failed = false;
  std::jthread waiting{[&] {
    try {
      update(*other, 2);
    } catch (const soci::soci_error&) {
      other_failed = true;
    }
  }};
  wait_until_somebody_waits();
  try {
    update(*victim, 1);
  } catch (const soci::soci_error& e) {
    failed = storage_failure::from(e, "update").kind();
    if (!postgresql()) victim->session() << "INSERT INTO t VALUES (9, 9)"; // user code that does not care
  }
  if (failed) {
    EXPECT_EQ(*failed, failure_kind::conflict);
    EXPECT_EQ(victim->is_spoiled(), postgresql());
    victim->take_back();
    EXPECT_EQ(victim->in_transaction(), postgresql());
    EXPECT_THROW(victim->commit(), storage_failure);
    victim->roll_back();
    waiting.join();
    EXPECT_FALSE(other_failed);
    other->roll_back();
  } else { // it was the other one
    victim->take_back();
    victim->roll_back();
    waiting.join();
    EXPECT_TRUE(other_failed);
    EXPECT_THROW(other->commit(), storage_failure);
    other->roll_back();
  }
  EXPECT_EQ(committed(), "1=0 2=0");
}

TEST_P(ServerDatabase, IsReachedByAUnixSocket) {
  const auto path = postgresql() ? std::filesystem::path{std::getenv("ROMANCY_TEST_CA")}.parent_path().string()
                                 : texts(*db, "SELECT @@socket").at(0);
  auto text = fresh.url();
  const auto encoded = std::regex_replace(path, std::regex{"/"}, "%2F");
  const auto by_host = std::regex_replace(text, std::regex{"127\\.0\\.0\\.1"}, encoded);
  const auto by_socket = [&](const std::string& at) {
    const auto connection = database::open(database_url::parse(at), {}, 10s);
    if (postgresql()) return number(*connection, "SELECT count(*) WHERE inet_server_addr() IS NULL") == 1;
    return texts(*connection, "SELECT user()").at(0) == "romancy@localhost";
  };
  EXPECT_TRUE(by_socket(by_host)) << by_host;
  EXPECT_TRUE(postgresql() || by_socket(text + "?unix_socket=" + path));
  EXPECT_FALSE(by_socket(text));
}

TEST_P(ServerDatabase, IsEncryptedAndKnownByItsCertificate) {
  const std::string ca = std::getenv("ROMANCY_TEST_CA");
  const auto encrypted = [&](const std::string& options) {
    const auto connection = database::open(database_url::parse(fresh.url() + "?" + options), {}, 10s);
    if (postgresql())
      return number(*connection, "SELECT count(*) FROM pg_stat_ssl WHERE ssl AND pid = pg_backend_pid()") == 1;
    return number(*connection,
                  "SELECT count(*) FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher' "
                  "AND variable_value <> ''") == 1;
  };
  const temporary_directory directory;
  const auto another = directory.file("another.pem");
  ASSERT_EQ(
      run_process({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                   "-nodes", "-days", "2", "-subj", "/CN=another", "-keyout", directory.file("key.pem"), "-out", another})
          .code,
      0);
  EXPECT_TRUE(encrypted(postgresql() ? "sslmode=verify-full&sslrootcert=" + ca : "ssl-ca=" + ca));
  EXPECT_FALSE(postgresql() && encrypted("sslmode=disable"));
  for (const auto& wrong : {another, directory.file("missing.pem")}) {
    const auto why = why_not_open(
        database_url::parse(fresh.url() + (postgresql() ? "?sslmode=verify-full&sslrootcert=" : "?ssl-ca=") + wrong));
    EXPECT_NE(why.find("ertificate"), std::string::npos) << why;
  }
}

ROMANCY_ON_EVERY_SERVER(ServerDatabase);

} // namespace
} // namespace romancy::testing
