#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include <romancy/error.hpp>

#include "actors/clock.hpp"
#include "actors/entropy.hpp"
#include "actors/event_check.hpp"
#include "cli/commands.hpp"
#include "cli/open_database.hpp"
#include "cli/relay_flags.hpp"
#include "storage/instance_fork.hpp"

namespace romancy::cli {

namespace {

struct fork_flags {
  std::string database;
  fork_request wanted;
  bool json = false;
};

int fork(const fork_flags& given) {
  auto wanted = given.wanted;
  const system_clock clock;
  if (wanted.new_id.empty()) {
    system_entropy entropy;
    wanted.new_id = new_uuid(entropy, clock.now());
  }
  check_name(wanted.new_id, "an instance id", 200);
  const auto db = open_database(given.database);
  const auto all = open_tables<tables>(*db);
  db->begin();
  const auto why_not = instance_fork{*db, *all}.make(wanted, clock.now());
  if (!why_not.empty()) {
    db->roll_back();
    throw error{why_not};
  }
  db->commit();
  db->notify(instances_topic);
  if (given.json)
    std::cout << nlohmann::json{{"instance_id", wanted.new_id},
                                {"forked_from", wanted.source},
                                {"fork_step", wanted.from_step}}
              << '\n';
  else
    std::cout << wanted.new_id << " goes on from " << wanted.from_step << " of " << wanted.source << '\n';
  return 0;
}

} // namespace

void add_workflow_fork(CLI::App& workflow, command& run) {
  auto given = std::make_shared<fork_flags>();
  auto* sub = workflow.add_subcommand(
      "fork", "Start an instance with the history of one that has ended or is parked, up to a step that runs anew");
  add_database_flag(*sub, given->database);
  sub->add_flag("--json", given->json, "JSON instead of text");
  sub->add_option("id", given->wanted.source, "The instance's id")->required();
  sub->add_option("--from-step", given->wanted.from_step,
                  "The first step that is not taken over, as workflow show has it: charge_card:1")
      ->required();
  sub->add_option("--new-id", given->wanted.new_id, "Of the fork; with the same one it is forked once");
  sub->callback([given, &run] { run = [given] { return fork(*given); }; });
}

} // namespace romancy::cli
