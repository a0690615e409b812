#pragma once

#include <string>
#include <string_view>

namespace romancy {

/// Which database, and where: read from `sqlite3://path` or a plain path.
struct database_url {
  enum class backend { sqlite3 };

  backend kind = backend::sqlite3;
  std::string path; ///< of the file

  /// `sqlite3://orders.db` and `orders.db` are relative to the working directory, `sqlite3:///var/lib/orders.db` is not.
  /// Percent-encoded characters are decoded. @throws startup_error that names the text and the remedy.
  static database_url parse(std::string_view text);
};

/// `text` as it may be shown: without the password.
std::string without_password(std::string_view text);

} // namespace romancy
