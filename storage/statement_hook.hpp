#pragma once

#include <functional>

namespace romancy {

/// Called before each statement that a connection runs, with its text: user code's, ours, BEGIN and COMMIT. For tests
/// that count, fail or die at the k-th one: it may throw a soci::soci_error, and the statement does not run; of SQLite
/// only before BEGIN, COMMIT and statements of our savepoints.
using statement_hook = std::function<void(const char* sql)>;

} // namespace romancy
