#include "storage/database_url.hpp"

#include <cctype>
#include <charconv>
#include <set>

#include <romancy/error.hpp>

namespace romancy {

namespace {

constexpr std::string_view known_urls =
    "use sqlite3://path, postgresql://user:password@host/name or "
    "mysql://user:password@host/name";

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw startup_error{"database '" + without_password(text) + "' " + why};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// A part of `whole`.
std::string percent_decoded(std::string_view part, std::string_view whole) {
  std::string decoded;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] != '%') {
      decoded += part[i];
      continue;
    }
    const int high = i + 2 < part.size() ? hex_digit(part[i + 1]) : -1;
    const int low = i + 2 < part.size() ? hex_digit(part[i + 2]) : -1;
    if (high < 0 || low < 0)
      refuse(whole, "has a '%' without two hexadecimal digits after it: write %25 for a percent sign");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (decoded.find('\0') != std::string::npos) refuse(whole, "has a NUL byte");
  return decoded;
}

void parse_file(database_url& url, std::string_view text) {
  if (url.path.empty()) refuse(text, "names no file: use sqlite3://path");
  if (url.path.find('"') != std::string::npos) refuse(text, "has a double quote in its path: rename the file");
  if (url.path.starts_with(":memory:") || url.path.starts_with("file:"))
    refuse(text, "is no file, and a workflow outlives its process: use sqlite3://path");
  url.shown = url.path;
}

/// What `host:port` says.
void parse_address(database_url& url, std::string_view authority, std::string_view text) {
  if (authority.find(',') != std::string_view::npos)
    refuse(text, "names several hosts: name one, or an address that follows the primary");
  std::string_view port;
  if (authority.starts_with('[')) { // https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2
    const auto end = authority.find(']');
    if (end == std::string_view::npos) refuse(text, "has a '[' without a ']' in its host");
    url.host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
    if (!authority.empty() && !authority.starts_with(':')) refuse(text, "has something between ']' and the port");
    port = authority.empty() ? authority : authority.substr(1);
  } else {
    const auto colon = authority.rfind(':');
    url.host = percent_decoded(authority.substr(0, colon), text);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  if (port.empty()) return;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc{} || end != port.data() + port.size() || url.port < 1 || url.port > 65535)
    refuse(text, "has the port '" + std::string{port} + "': use a number from 1 to 65535");
}

void parse_options(database_url& url, std::string_view query, std::string_view text) {
  static const std::set<std::string, std::less<>> of_mysql{"unix_socket",     "ssl-ca",       "ssl-cert",     "ssl-key",
                                                           "connect_timeout", "read_timeout", "write_timeout"};
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto option = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = option.find('=');
    if (equals == std::string_view::npos || equals == 0)
      refuse(text, "has the option '" + std::string{option} + "': write it as name=value");
    const auto name = percent_decoded(option.substr(0, equals), text);
    const auto value = percent_decoded(option.substr(equals + 1), text);
    if (name == "password") refuse(text, "has its password among the options: write it as user:password@host");
    if (url.kind == database_url::backend::mysql && !of_mysql.contains(name)) {
      std::string names;
      for (const auto& known : of_mysql) names += (names.empty() ? "" : ", ") + known;
      refuse(text, "has the unknown option '" + name + "': known are " + names);
    }
    for (const char c : name)
      if (!std::islower(static_cast<unsigned char>(c)) && c != '_' && c != '-')
        refuse(text, "has the unknown option '" + name + "'");
    if (!url.options.emplace(name, value).second) refuse(text, "has the option '" + name + "' twice");
  }
}

/// `user:password@host:port/name?options`. The last '@' ends the password, which may hold anything, encoded or not.
void parse_server(database_url& url, std::string_view rest, std::string_view text) {
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    const auto login = rest.substr(0, at);
    const auto colon = login.find(':');
    url.user = percent_decoded(login.substr(0, colon), text);
    if (colon != std::string_view::npos) url.password = percent_decoded(login.substr(colon + 1), text);
    rest.remove_prefix(at + 1);
  }
  const auto question = rest.find('?');
  if (question != std::string_view::npos) {
    parse_options(url, rest.substr(question + 1), text);
    rest = rest.substr(0, question);
  }
  const auto slash = rest.find('/');
  parse_address(url, rest.substr(0, slash), text);
  url.path = slash == std::string_view::npos ? "" : percent_decoded(rest.substr(slash + 1), text);
  if (url.path.empty()) refuse(text, "names no database: " + std::string{known_urls});
  if (url.path.find('/') != std::string::npos)
    refuse(text, "has a '/' in the name of the database: write %2F in the host for the path of a unix socket");
  url.shown = without_password(text);
}

} // namespace

std::string without_password(std::string_view text) {
  std::string shown{text};
  const auto mask = [&](std::size_t begin, std::size_t end) { shown.replace(begin, end - begin, "***"); };
  const auto scheme = shown.find("://");
  if (scheme == std::string::npos) return shown;
  if (const auto option = shown.find("password=", shown.rfind('?')); option != std::string::npos)
    mask(option + 9, std::min(shown.find('&', option), shown.size()));
  const auto host = shown.rfind('@');
  const auto colon = shown.find(':', scheme + 3);
  if (host != std::string::npos && colon < host) mask(colon + 1, host);
  return shown;
}

database_url database_url::parse(std::string_view text) {
  if (text.empty()) throw startup_error{"no database given: " + std::string{known_urls} + ", or the path of a file"};
  database_url url;
  const auto separator = text.find("://");
  if (separator == std::string_view::npos) {
    url.path = std::string{text};
    if (url.path.find('\0') != std::string::npos) refuse(text, "has a NUL byte in its path");
    parse_file(url, text);
    return url;
  }
  const auto scheme = text.substr(0, separator);
  const auto rest = text.substr(separator + 3);
  if (scheme == "sqlite3" || scheme == "sqlite") {
    if (rest.find('?') != std::string_view::npos)
      refuse(text, "has options after '?', which are not supported for SQLite: remove them (a '?' in a path is %3F)");
    url.path = percent_decoded(rest, text);
    parse_file(url, text);
  } else if (scheme == "postgresql" || scheme == "postgres") {
    url.kind = backend::postgresql;
    parse_server(url, rest, text);
  } else if (scheme == "mysql" || scheme == "mariadb") {
    url.kind = backend::mysql;
    parse_server(url, rest, text);
  } else {
    refuse(text, "has the unknown scheme '" + std::string{scheme} + "': " + std::string{known_urls});
  }
  return url;
}

} // namespace romancy
