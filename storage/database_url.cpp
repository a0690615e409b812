#include "storage/database_url.hpp"

#include <cctype>

#include <romancy/error.hpp>

namespace romancy {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      throw startup_error{"database '" + without_password(text) +
                          "' has a '%' without two hexadecimal digits after it: write %25 for a percent sign"};
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

} // namespace

std::string without_password(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos) return std::string{text};
  const auto host = text.find('@', scheme);
  const auto slash = text.find('/', scheme + 3);
  const auto colon = text.find(':', scheme + 3);
  if (host == std::string_view::npos || colon == std::string_view::npos || colon > host || host > slash)
    return std::string{text};
  return std::string{text.substr(0, colon + 1)} + "***" + std::string{text.substr(host)};
}

database_url database_url::parse(std::string_view text) {
  if (text.empty()) throw startup_error{"no database given: set it to sqlite3://path or to the path of a file"};
  database_url url;
  const auto separator = text.find("://");
  if (separator == std::string_view::npos) {
    url.path = std::string{text};
  } else {
    const auto scheme = text.substr(0, separator);
    const auto rest = text.substr(separator + 3);
    if (scheme == "postgresql" || scheme == "postgres" || scheme == "mysql" || scheme == "mariadb")
      throw startup_error{"database '" + without_password(text) +
                          "': this version of Romancy keeps its tables in SQLite only: use sqlite3://path"};
    if (scheme != "sqlite3" && scheme != "sqlite")
      throw startup_error{"database '" + without_password(text) + "' has the unknown scheme '" + std::string{scheme} +
                          "': use sqlite3://path"};
    if (rest.find('?') != std::string_view::npos)
      throw startup_error{"database '" + std::string{text} +
                          "': options after '?' are not supported for SQLite: remove them (a '?' in a path is %3F)"};
    url.path = percent_decoded(rest);
  }
  if (url.path.empty()) throw startup_error{"database '" + std::string{text} + "' names no file: use sqlite3://path"};
  if (url.path.find('\0') != std::string::npos)
    throw startup_error{"database '" + std::string{text} + "' has a NUL byte in its path"};
  if (url.path.find('"') != std::string::npos)
    throw startup_error{"database '" + std::string{text} + "' has a double quote in its path: rename the file"};
  if (url.path.starts_with(":memory:") || url.path.starts_with("file:"))
    throw startup_error{"database '" + std::string{text} +
                        "': a workflow outlives its process, so its database is a file: use sqlite3://path"};
  return url;
}

} // namespace romancy
