#include <iomanip>
#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include <romancy/error.hpp>

#include "actors/event_check.hpp"
#include "cli/commands.hpp"
#include "cli/open_database.hpp"
#include "cli/relay_flags.hpp"
#include "storage/history_table.hpp"
#include "storage/instance_table.hpp"

namespace romancy::cli {

namespace {

struct workflow_flags {
  std::string database;
  std::string status;
  std::string workflow;
  std::string id;
  std::string reason;
  int limit = 100;
  bool json = false;
};

/// Text that is no JSON was written by hand: it is shown as it is.
nlohmann::json parsed(const std::string& text) {
  if (text.empty()) return nullptr;
  auto value = nlohmann::json::parse(text, nullptr, false);
  return value.is_discarded() ? nlohmann::json(text) : value;
}

/// Of a database that others have written to as well.
std::string line(const nlohmann::json& object) {
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

nlohmann::json to_json(const instance_table::summary& row) {
  return {{"instance_id", row.instance.instance_id},
          {"workflow", row.instance.workflow},
          {"status", to_string(row.instance.status)},
          {"input", parsed(row.instance.input)},
          {"output", parsed(row.instance.output)},
          {"error", row.instance.error},
          {"cancel_reason", row.instance.cancel_reason},
          {"owner", row.instance.owner_epoch},
          {"started_at", row.started_at},
          {"finished_at", row.finished_at}};
}

int print_list(const workflow_flags& given) {
  if (!given.status.empty() && !to_instance_status(given.status))
    throw std::invalid_argument{"--status " + given.status +
                                " is no status: use running, compensating, completed, failed, cancelled or parked"};
  const auto db = open_database(given.database);
  for (const auto& row : instance_table{*db}.list({given.status, given.workflow, given.id, given.limit})) {
    if (given.json)
      std::cout << line(to_json(row)) << '\n';
    else
      std::cout << row.started_at << "  " << std::left << std::setw(12) << to_string(row.instance.status) << "  "
                << row.instance.instance_id << "  " << row.instance.workflow
                << (row.instance.error.empty() ? "" : "  " + row.instance.error) << '\n';
  }
  return 0;
}

/// Of the last attempts before the one that is recorded.
void print_errors(int attempts, const nlohmann::json& details) {
  if (!details.is_object() || !details.contains("errors") || !details["errors"].is_array()) return;
  const auto& errors = details["errors"];
  auto number = attempts - static_cast<int>(errors.size());
  for (const auto& error : errors)
    std::cout << "      attempt " << number++
              << " failed: " << (error.is_string() ? error.get<std::string>() : line(error)) << '\n';
}

int print_one(const workflow_flags& given) {
  const auto db = open_database(given.database);
  const auto found = instance_table{*db}.list({.instance_id = given.id, .limit = 1});
  if (found.empty()) throw error{"there is no instance " + given.id + ": see romancy workflow list"};
  const auto history = history_table{*db}.list(given.id);
  if (given.json) {
    auto object = to_json(found.front());
    object["history"] = nlohmann::json::array();
    for (const auto& row : history)
      object["history"].push_back({{"activity_id", row.record.activity_id},
                                   {"event_type", row.record.event_type},
                                   {"event_data", row.record.data},
                                   {"position", row.record.position},
                                   {"attempts", row.record.attempts},
                                   {"details", parsed(row.record.details)},
                                   {"created_at", row.created_at}});
    std::cout << line(object) << '\n';
    return 0;
  }
  const auto& row = found.front();
  std::cout << "instance  " << row.instance.instance_id << "\nworkflow  " << row.instance.workflow << "\nstatus    "
            << to_string(row.instance.status) << "\nstarted   " << row.started_at << '\n';
  if (!row.finished_at.empty()) std::cout << "finished  " << row.finished_at << '\n';
  std::cout << "input     " << row.instance.input << '\n';
  if (!row.instance.output.empty()) std::cout << "output    " << row.instance.output << '\n';
  if (!row.instance.error.empty()) std::cout << "error     " << row.instance.error << '\n';
  if (!row.instance.cancel_reason.empty()) std::cout << "cancel    " << row.instance.cancel_reason << '\n';
  std::cout << "history\n";
  for (const auto& step : history) {
    const auto details = parsed(step.record.details);
    const auto duration = details.is_object() ? details.find("duration_ms") : details.end();
    const bool timed = duration != details.end() && duration->is_number_integer();
    std::cout << "  " << step.created_at << "  " << step.record.activity_id << "  " << step.record.event_type
              << (step.record.attempts > 1 ? " in attempt " + std::to_string(step.record.attempts) : "")
              << (timed && step.record.attempts > 1 ? " after " + duration->dump() + " ms" : "") << "  "
              << step.record.data << '\n';
    print_errors(step.record.attempts, details);
  }
  return 0;
}

/// One short transaction of our own. @throws error when it is refused
template <class Change> auto change(const workflow_flags& given, Change how) {
  const auto db = open_database(given.database);
  instance_table instances{*db};
  db->begin();
  const auto changed = how(instances);
  db->commit();
  db->notify(instances_topic);
  return changed;
}

int cancel(const workflow_flags& given) {
  const bool accepted =
      change(given, [&](instance_table& all) { return all.request_cancel(checked_cancel(given.id, given.reason)); });
  if (given.json)
    std::cout << nlohmann::json{{"accepted", accepted}} << '\n';
  else if (accepted)
    std::cout << given.id << " is stopped and undone by the app that serves it\n";
  if (!accepted)
    throw error{"instance " + given.id +
                " has ended, or is being undone for a failure of its own: see romancy workflow show " + given.id};
  return 0;
}

int resume(const workflow_flags& given) {
  if (given.id.empty() && given.workflow.empty())
    throw std::invalid_argument{"workflow resume: say which parked instances with --id or --workflow"};
  const int resumed = change(given, [&](instance_table& all) { return all.resume(given.id, given.workflow); });
  if (given.json)
    std::cout << nlohmann::json{{"resumed", resumed}} << '\n';
  else
    std::cout << resumed << (resumed == 1 ? " instance goes on\n" : " instances go on\n");
  if (resumed == 0 && !given.id.empty())
    throw error{"instance " + given.id + " is not there, or not parked: see romancy workflow list --id " + given.id};
  return 0;
}

} // namespace

void add_workflow(CLI::App& app, command& run) {
  auto* workflow = app.add_subcommand("workflow", "Look at instances, cancel them, let parked ones go on");
  workflow->require_subcommand(1);
  auto given = std::make_shared<workflow_flags>();
  auto common = [&](CLI::App& sub) {
    add_database_flag(sub, given->database);
    sub.add_flag("--json", given->json, "JSON instead of text");
  };
  auto* list = workflow->add_subcommand("list", "Instances, the oldest first");
  common(*list);
  list->add_option("--status", given->status, "Only of this status");
  list->add_option("--workflow", given->workflow, "Only of this workflow");
  list->add_option("--id", given->id, "Only this instance");
  list->add_option("--limit", given->limit, "At most this many")->capture_default_str();
  list->callback([given, &run] { run = [given] { return print_list(*given); }; });
  auto* show = workflow->add_subcommand("show", "One instance with its history");
  common(*show);
  show->add_option("id", given->id, "The instance's id")->required();
  show->callback([given, &run] { run = [given] { return print_one(*given); }; });
  auto* cancelled = workflow->add_subcommand(
      "cancel", "Stop an instance after the step it is in, and compensate what it has done; a parked one too");
  common(*cancelled);
  cancelled->add_option("id", given->id, "The instance's id")->required();
  cancelled->add_option("--reason", given->reason, "Kept as the instance's error");
  cancelled->callback([given, &run] { run = [given] { return cancel(*given); }; });
  auto* resumed = workflow->add_subcommand(
      "resume", "Let parked instances go on where they were, once the code fits their history again");
  common(*resumed);
  resumed->add_option("--id", given->id, "Only this instance");
  resumed->add_option("--workflow", given->workflow, "Only of this workflow");
  resumed->callback([given, &run] { run = [given] { return resume(*given); }; });
}

} // namespace romancy::cli
