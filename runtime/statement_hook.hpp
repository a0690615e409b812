#pragma once

#include "storage/database.hpp"

namespace romancy {

/// Lets `hook` see every statement of all engines that are made from now on in this process: a port for tests that count
/// statements, or die at one. Not thread-safe.
void install_statement_hook(statement_hook hook);

/// The one that is installed; empty: none.
const statement_hook& installed_statement_hook();

} // namespace romancy
