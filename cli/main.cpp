// The command line tool `romancy`: each subcommand is a file of its own.
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/run_main.hpp"

int main(int argc, char** argv) {
  using namespace romancy::cli;
  CLI::App app{"Durable workflows and a transactional outbox", "romancy"};
  app.require_subcommand(1);
  command run;
  add_migrate(app, run);
  add_relay(app, run);
  add_sink(app, run);
  add_outbox(app, run);
  add_workflow(app, run);
  add_event(app, run);
  add_clean(app, run);
  return run_main(app, argc, argv, [&] { return run(); });
}
