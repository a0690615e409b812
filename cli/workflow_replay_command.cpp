#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <romancy/error.hpp>

#include "cli/commands.hpp"
#include "cli/relay_flags.hpp"

namespace romancy::cli {

namespace {

struct replay_flags {
  std::string database;
  std::string program;
  std::vector<std::string> workflows;
  std::vector<std::string> ids;
  bool all = false;
  bool dry_run = false;
  bool json = false;
};

/// Becomes the service's program, which has the code. The URL, and the password in it, goes by the environment, which
/// others do not see.
int replay(const replay_flags& given) {
  if (!given.dry_run)
    throw std::invalid_argument{"workflow replay: stored histories are replayed only to check them: give --dry-run"};
  if (given.program.empty())
    throw std::invalid_argument{
        "workflow replay: the code of the workflows is in your service: name its new binary with --program, whose main "
        "begins with romancy::replay_command<workflows…>(argc, argv)"};
  std::vector<std::string> arguments{given.program, "workflow", "replay", "--dry-run"};
  for (const auto& name : given.workflows) arguments.insert(arguments.end(), {"--workflow", name});
  for (const auto& id : given.ids) arguments.insert(arguments.end(), {"--id", id});
  if (given.all) arguments.emplace_back("--all");
  if (given.json) arguments.emplace_back("--json");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::setenv("ROMANCY_DATABASE_URL", given.database.c_str(), 1);
  ::setenv("ROMANCY_REPLAY_ONLY", "1", 1); // a program without replay_command would begin its service
  ::execvp(argv.front(), argv.data());
  throw error{"program '" + given.program + "' cannot be run: " + std::strerror(errno)};
}

} // namespace

void add_workflow_replay(CLI::App& workflow, command& run) {
  auto given = std::make_shared<replay_flags>();
  auto* sub = workflow.add_subcommand(
      "replay", "Check whether a new program can go on with the instances that are stored, before it is deployed");
  add_database_flag(*sub, given->database);
  sub->add_flag("--dry-run", given->dry_run, "Run no step, write nothing: there is no other way");
  sub->add_option("--program", given->program,
                  "The service's new binary; its main begins with romancy::replay_command<workflows…>(argc, argv)");
  sub->add_option("--workflow", given->workflows, "Only of this workflow; may be given several times")
      ->allow_extra_args(false);
  sub->add_option("--id", given->ids, "Only this instance; may be given several times")->allow_extra_args(false);
  sub->add_flag("--all", given->all, "Those that have ended as well");
  sub->add_flag("--json", given->json, "JSON instead of text");
  sub->callback([given, &run] { run = [given] { return replay(*given); }; });
}

} // namespace romancy::cli
