#include "storage/sql_guard.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace romancy {

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Where the quote that begins at `at` ends.
std::size_t after_quote(std::string_view sql, std::size_t at, bool backslash_escapes) {
  const char quote = sql[at];
  for (auto i = at + 1; i < sql.size(); ++i) {
    if (sql[i] == quote) return i + 1;
    if (sql[i] == '\\' && backslash_escapes) ++i;
  }
  return sql.size();
}

/// Where the quote or comment that begins at `at` ends, or `at` itself if none begins there.
std::size_t skipped(std::string_view sql, std::size_t at, bool mysql) {
  const auto after = [&](std::string_view end, std::size_t from) {
    const auto found = sql.find(end, from);
    return found == std::string_view::npos ? sql.size() : found + end.size();
  };
  const auto rest = sql.substr(at);
  if (rest.starts_with("--") || (mysql && rest[0] == '#')) return after("\n", at);
  if (mysql && (rest.starts_with("/*!") || rest.starts_with("/*M!"))) { // run, from the version on that may follow
    const auto words = sql.find_first_not_of("0123456789", sql.find('!', at) + 1);
    return std::min(words, sql.size());
  }
  if (rest.starts_with("/*")) return after("*/", at + 2);
  if (rest[0] == '\'') // https://www.postgresql.org/docs/15/sql-syntax-lexical.html, 4.1.2.2
    return after_quote(sql, at, mysql || (at > 0 && (sql[at - 1] == 'E' || sql[at - 1] == 'e')));
  if (rest[0] == '"') return after_quote(sql, at, mysql);
  if (rest[0] == '`' && mysql) return after_quote(sql, at, false);
  if (rest[0] == '$' && !mysql) { // 4.1.2.4 there
    std::size_t end = at + 1;
    while (end < sql.size() && is_word(sql[end])) ++end;
    if (end < sql.size() && sql[end] == '$') return after(sql.substr(at, end + 1 - at), end + 1);
  }
  return at;
}

/// In capitals.
using words = std::vector<std::string>;

/// The words of each statement.
std::vector<words> statements_in(std::string_view sql, bool mysql) {
  std::vector<words> found(1);
  for (std::size_t i = 0; i < sql.size();) {
    if (const auto end = skipped(sql, i, mysql); end != i) {
      i = end;
    } else if (sql[i] == ';') {
      found.emplace_back();
      ++i;
    } else if (is_word(sql[i])) {
      std::string word;
      for (; i < sql.size() && is_word(sql[i]); ++i)
        word += static_cast<char>(std::toupper(static_cast<unsigned char>(sql[i])));
      found.back().push_back(std::move(word));
    } else {
      ++i;
    }
  }
  return found;
}

bool is_temporary(const std::string& word) { return word == "TEMP" || word == "TEMPORARY"; }

/// CREATE [OR REPLACE] [GLOBAL | LOCAL] TEMP …, SELECT … INTO TEMP …
bool makes_something_temporary(const words& statement) {
  if (statement[0] == "CREATE")
    return std::any_of(statement.begin(),
                       statement.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(5, statement.size())),
                       is_temporary);
  for (std::size_t i = 0; i + 1 < statement.size(); ++i)
    if (statement[i] == "INTO" &&
        (is_temporary(statement[i + 1]) ||
         (i + 2 < statement.size() && statement[i + 1] == "LOCAL" && is_temporary(statement[i + 2]))))
      return true;
  return false;
}

template <std::size_t N> bool is_one_of(const std::string& word, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

} // namespace

std::string refused_statement(std::string_view sql, bool mysql) {
  static constexpr std::array<std::string_view, 14> always{"BEGIN",   "START",     "COMMIT",  "END", "ROLLBACK",
                                                           "ABORT",   "SAVEPOINT", "RELEASE", "SET", "RESET",
                                                           "DISCARD", "USE",       "XA",      "LOAD"};
  static constexpr std::array<std::string_view, 15> committing{"CREATE",   "ALTER",  "DROP",  "RENAME", "TRUNCATE",
                                                               "GRANT",    "REVOKE", "LOCK",  "UNLOCK", "ANALYZE",
                                                               "OPTIMIZE", "REPAIR", "FLUSH", "CACHE",  "INSTALL"};
  for (const auto& statement : statements_in(sql, mysql)) {
    if (statement.empty()) continue;
    const auto& first = statement[0];
    const auto second = statement.size() > 1 ? statement[1] : "";
    if (is_one_of(first, always)) return second.empty() ? first : first + ' ' + second;
    if (first == "PREPARE" && second == "TRANSACTION") return "PREPARE TRANSACTION";
    if ((first == "LISTEN" || first == "UNLISTEN") && !mysql) return first;
    if (mysql && is_one_of(first, committing)) return first + ' ' + second;
    if (makes_something_temporary(statement)) return first == "CREATE" ? "CREATE TEMP" : first + " INTO TEMP";
  }
  return {};
}

} // namespace romancy
