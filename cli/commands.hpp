#pragma once

#include <functional>

#include <CLI/CLI.hpp>

namespace romancy::cli {

/// What the chosen subcommand does; returns the exit code.
using command = std::function<int()>;

// Each adds a subcommand to `app`, which sets `run` when it is chosen.
void add_migrate(CLI::App& app, command& run);
void add_relay(CLI::App& app, command& run);
void add_sink(CLI::App& app, command& run);
void add_outbox(CLI::App& app, command& run);
void add_workflow(CLI::App& app, command& run);
void add_clean(CLI::App& app, command& run);
void add_event(CLI::App& app, command& run);
// Of `romancy workflow`.
void add_workflow_replay(CLI::App& workflow, command& run);
void add_workflow_fork(CLI::App& workflow, command& run);

} // namespace romancy::cli
