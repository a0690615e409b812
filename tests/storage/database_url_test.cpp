#include "storage/database_url.hpp"

#include <gtest/gtest.h>

#include <romancy/error.hpp>

#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

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

} // namespace
} // namespace romancy::testing
