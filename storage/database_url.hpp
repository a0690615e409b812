#pragma once

#include <map>
#include <string>
#include <string_view>

namespace romancy {

/// Which database, and where: `postgresql://user:password@host:port/name?option=value`, `mysql://…`, `sqlite3://path` or
/// a plain path.
struct database_url {
  enum class backend { sqlite3, postgresql, mysql };

  backend kind = backend::sqlite3;
  std::string path{}; ///< of the file; of a server: the name of the database
  std::string user{};
  std::string password{};
  std::string host{}; ///< a name, an address, or the directory (PostgreSQL) or file (MySQL) of a unix socket
  int port = 0;       ///< 0: the server's default
  std::map<std::string, std::string> options{};
  std::string shown{}; ///< as it may be shown: without the password

  bool is_file() const noexcept { return kind == backend::sqlite3; }

  /// `sqlite3://orders.db` and `orders.db` are relative to the working directory, `sqlite3:///var/lib/orders.db` is not.
  /// `postgres`, `mariadb` and `sqlite` are understood too. Percent-encoded characters are decoded. Options of
  /// PostgreSQL are those of libpq (https://www.postgresql.org/docs/15/libpq-connect.html, "Parameter Key Words"), of
  /// MySQL `unix_socket`, `ssl-ca`, `ssl-cert`, `ssl-key`, `connect_timeout`, `read_timeout` and `write_timeout`
  /// (seconds).
  /// @throws startup_error that names the text and the remedy.
  static database_url parse(std::string_view text);
};

/// `text` as it may be shown: without the password.
std::string without_password(std::string_view text);

} // namespace romancy
