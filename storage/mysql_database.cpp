#include "storage/mysql_database.hpp"

#include <algorithm>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <soci/mysql/soci-mysql.h>

#include "storage/storage_failure.hpp"

namespace romancy {

namespace {

constexpr int max_connections_of_a_name = 64;

/// What SOCI's backend reads: https://soci.sourceforge.net/doc/release/4.0/backends/mysql/
std::string connect_string(const database_url& url) {
  std::string text;
  const auto add = [&](const std::string& key, const std::string& value) { add_parameter(text, key, value); };
  auto options = url.options;
  if (!options.contains("unix_socket") && url.host.starts_with('/')) options["unix_socket"] = url.host;
  // "localhost" is a unix socket for the client library, whatever the port.
  const bool by_socket = options.contains("unix_socket");
  if (!by_socket) add("host", url.host.empty() || url.host == "localhost" ? "127.0.0.1" : url.host);
  if (url.port != 0) add("port", std::to_string(url.port));
  if (!url.user.empty()) add("user", url.user);
  if (!url.password.empty()) add("password", url.password);
  add("db", url.path);
  add("charset", "utf8mb4");
  options.try_emplace("connect_timeout", "5");
  for (const auto& [key, value] : options) {
    auto name = key;
    std::erase(name, '-'); // ssl-ca is sslca there
    add(name, value);
  }
  return text;
}

MYSQL* native(const soci::session& session) {
  return static_cast<soci::mysql_session_backend*>(const_cast<soci::session&>(session).get_backend())->conn_;
}

using backend = guarded_backend<soci::mysql_session_backend>;
class backend_factory final : public soci::backend_factory {
public:
  backend* make_session(const soci::connection_parameters& parameters) const override { return new backend{parameters}; }
};
const backend_factory factory;

/// A peer that is gone without a word is noticed within half a minute, not after hours. tcp(7)
void notice_a_dead_peer(MYSQL* connection) {
  const int idle_s = 10, interval_s = 5, count = 4, unanswered_ms = 30'000, on = 1;
  const auto socket = mysql_get_socket(connection); // of a unix socket these fail, and are not needed
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
}

/// The n-th connection of a name. Locks are the server's, names are a database's.
constexpr auto take_lock = "SELECT GET_LOCK(CONCAT('romancy ', CRC32(database()), ' ', :name), 0)";
constexpr auto owner_of_lock = "SELECT IS_USED_LOCK(CONCAT('romancy ', CRC32(database()), ' ', :name))";
std::string lock_name(const std::string& name, int n) { return name + ':' + std::to_string(n); }

} // namespace

mysql_database::mysql_database(const database_url& url, const options& how) try
    : server_database{mysql_dialect, factory, connect_string(url), how} {
  static_cast<backend*>(session().get_backend())->guard = guard();
  notice_a_dead_peer(native(session()));
  const auto seconds = std::max<long long>(1, std::chrono::ceil<std::chrono::seconds>(how.busy_timeout).count());
  run("SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin, time_zone = '+00:00', innodb_lock_wait_timeout = " +
          std::to_string(seconds) +
          ", sql_mode = "
          "'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
      "set up the connection");
  run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "set the isolation level");
  // A deadlock rolls the whole transaction back, and the server would commit what comes next statement by statement.
  run("SET autocommit = 0", "set up the connection");
  if (!how.name.empty()) // break_connections() asks whose lock it is
    for (int n = 0, mine = 0; mine != 1 && n < max_connections_of_a_name; ++n) {
      const auto numbered = lock_name(how.name, n);
      session() << take_lock, soci::use(numbered), soci::into(mine);
    }
} catch (const soci::soci_error& e) {
  throw storage_failure::from_connecting(e);
}

std::unique_ptr<soci::session> mysql_database::connect(const database_url& url) try {
  auto session = std::make_unique<soci::session>(factory, connect_string(url));
  notice_a_dead_peer(native(*session));
  *session << "SET time_zone = '+00:00'";
  return session;
} catch (const soci::soci_error& e) {
  throw storage_failure::from_connecting(e);
}

void mysql_database::do_begin(isolation_level level) {
  replaced_ = false;
  if (level != isolation_level::read_committed) // of the next transaction only
    run("SET TRANSACTION ISOLATION LEVEL " + std::string{sql_name(level)}, "set the isolation level");
  server_database::do_begin(level);
}

bool mysql_database::is_connected() const {
  return mysql_get_socket(native(const_cast<mysql_database*>(this)->session())) != MARIADB_INVALID_SOCKET;
}

/// Of the last statement: the library forgets those before it.
bool mysql_database::met_conflict() const {
  const auto error = mysql_errno(native(const_cast<mysql_database*>(this)->session()));
  return error == 1205 || error == 1213 || error == 1020; // as storage_failure reads them
}

bool mysql_database::in_transaction() const {
  if (replaced_) return false;
  unsigned int status = 0;
  mariadb_get_infov(native(const_cast<mysql_database*>(this)->session()), MARIADB_CONNECTION_SERVER_STATUS, &status);
  return (status & SERVER_STATUS_IN_TRANS) != 0;
}

void mysql_database::lend() {
  run("SAVEPOINT romancy_0", "open a savepoint");
  marked_ = true;
  server_database::lend();
}

void mysql_database::take_back() {
  server_database::take_back();
  if (!std::exchange(marked_, false)) return;
  try {
    run("RELEASE SAVEPOINT romancy_0", "release a savepoint");
  } catch (const storage_failure&) { // a deadlock, or a procedure that commits: what is open now is another one
    roll_back();
    replaced_ = true;
  }
}

void mysql_database::break_connections(const std::string& name) try {
  for (int n = 0; n < max_connections_of_a_name; ++n) {
    const auto numbered = lock_name(name, n);
    long long connection = 0;
    soci::indicator found = soci::i_null;
    session() << owner_of_lock, soci::use(numbered), soci::into(connection, found);
    if (found != soci::i_ok) continue;
    try {
      session() << "KILL CONNECTION " + std::to_string(connection);
    } catch (const soci::mysql_soci_error& e) {
      if (e.err_num_ != 1094) throw; // no such thread: it has ended meanwhile
    }
  }
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "end the connections of a dead worker");
}

} // namespace romancy
