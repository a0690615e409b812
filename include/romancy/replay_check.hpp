#pragma once

#include <optional>
#include <type_traits>

#include <romancy/detail/definition_closure.hpp>
#include <romancy/replay_options.hpp>
#include <romancy/replay_report.hpp>

namespace romancy {

/// Whether an app<Workflows...> could go on with the instances that are in a database, before it is deployed: the
/// workflow functions are replayed over the stored histories, as far as these go, and what would park an instance is
/// reported. No activity runs, nothing is written, nothing is locked, and no app is needed: the processes that serve
/// these instances may go on meanwhile. An instance fits when its replay comes to a step that history does not know, or
/// to the end; one that is being undone, or fails on replay as it did, when the code has what its steps are undone with.
/// Memory does not grow with the number of instances.
///
///     const auto report = romancy::check_replay<process_order>({.database = "sqlite3://orders.db"});
///
/// @throws startup_error that names the database and the remedy; error for an instance_id that is not there;
/// storage_error
template <const auto&... Workflows> replay_report check_replay(const replay_options& options) {
  static_assert((detail::is_workflow<detail::definition_t<Workflows>> && ...),
                "romancy: check_replay<...> lists workflows, those of app<...>");
  return detail::check_replay(detail::closure<Workflows...>::table, options);
}

/// For the first line of a service's main: does what `program workflow replay --dry-run …` asks for, and returns the exit
/// code. Nothing: it asks for something else.
///
///     if (const auto code = romancy::replay_command<process_order>(argc, argv)) return *code;
///
/// The arguments are --database URL (or ROMANCY_DATABASE_URL), --workflow NAME and --id ID, both any number of times,
/// --all for instances that have ended as well, and --json. Prints a line for each instance that does not fit, and a
/// summary. 0: all fit; 1: some do not; 2: they could not be checked, which stderr explains. `romancy workflow replay
/// --program` runs it.
template <const auto&... Workflows> std::optional<int> replay_command(int argc, const char* const* argv) {
  static_assert((detail::is_workflow<detail::definition_t<Workflows>> && ...),
                "romancy: replay_command<...> lists workflows, those of app<...>");
  return detail::replay_command(detail::closure<Workflows...>::table, argc, argv);
}

} // namespace romancy
