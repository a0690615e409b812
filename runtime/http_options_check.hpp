#pragma once

#include <romancy/http_options.hpp>

namespace romancy {

/// @throws startup_error that names the option and what it may be
void check(const http_options& options);

} // namespace romancy
