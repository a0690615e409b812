#pragma once

#include <exception>
#include <iostream>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "storage/database_url.hpp"

namespace romancy::cli {

/// What every program here does around its work: parses, runs `body`, and turns what goes wrong into an exit code and one
/// line on stderr. 0: done; 1: failed; 2: usage.
template <class Body> int run_main(CLI::App& app, int argc, char** argv, Body body) {
  try {
    app.parse(argc, argv);
    return body();
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e); // --help
    std::cerr << app.get_name() << ": " << without_password(e.what()) << " (see --help)\n";
    return 2;
  } catch (const std::invalid_argument& e) {
    std::cerr << app.get_name() << ": " << e.what() << '\n';
    return 2;
  } catch (const std::exception& e) {
    std::cerr << app.get_name() << ": " << e.what() << '\n';
    return 1;
  }
}

} // namespace romancy::cli
