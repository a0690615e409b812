#pragma once

#include <string>
#include <string_view>

namespace romancy {

/// Which statement of `sql` a database server must not be told by user code, or an empty string: those that begin or end
/// a transaction or a savepoint, and those that change the connection. With `mysql` also those that it commits before
/// and after (https://mariadb.com/kb/en/sql-statements-that-cause-an-implicit-commit/). Looks at the words of each
/// statement, outside of quotes and comments; not at what functions and procedures do.
std::string refused_statement(std::string_view sql, bool mysql);

} // namespace romancy
