#pragma once

#include <string>
#include <vector>

#include "storage/database_url.hpp"

namespace romancy::bench {

/// Makes databases for measurements where `url` says, and removes them: files in a directory beside a SQLite database, or
/// databases on the server of one.
class scratch_databases {
public:
  explicit scratch_databases(const std::string& url);
  ~scratch_databases();
  scratch_databases(const scratch_databases&) = delete;
  scratch_databases& operator=(const scratch_databases&) = delete;

  /// An empty one; its URL.
  std::string make();
  /// Records a second that one connection commits one by one, with 220 bytes each and as durably as Romancy does: what
  /// ours is compared with. By SQLite's C API, or by a prepared statement of SOCI.
  double raw_commits_per_second();
  std::string kind() const; ///< "sqlite3", "postgresql", "mysql"

private:
  std::string text_;
  database_url url_;
  std::string directory_;
  std::vector<std::string> made_;
};

} // namespace romancy::bench
