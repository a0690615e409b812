#include "runtime/statement_hook.hpp"

namespace romancy {

namespace {
statement_hook installed;
}

void install_statement_hook(statement_hook hook) { installed = std::move(hook); }

const statement_hook& installed_statement_hook() { return installed; }

} // namespace romancy
