#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include <romancy/error.hpp>

#include "actors/clock.hpp"
#include "actors/event_check.hpp"
#include "cli/commands.hpp"
#include "cli/instant.hpp"
#include "cli/open_database.hpp"
#include "cli/relay_flags.hpp"
#include "storage/instance_query.hpp"
#include "storage/instance_table.hpp"
#include "storage/timestamp.hpp"

namespace romancy::cli {

namespace {

struct workflow_flags {
  std::string database;
  std::vector<std::string> statuses;
  std::vector<std::string> workflows;
  std::string workflow;
  std::string id;
  std::string id_prefix;
  std::string id_contains;
  std::string started_after;
  std::string started_before;
  std::string finished_after;
  std::string finished_before;
  std::vector<std::string> input;
  std::string page;
  std::string reason;
  std::string author;
  int limit = 100;
  bool newest_first = false;
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

std::string finished_at(const instance_summary& instance) {
  return instance.finished_at ? to_text(*instance.finished_at) : "";
}

/// "1.500 s", "2 h 03 min 04 s"
std::string readable(std::chrono::microseconds time) {
  using namespace std::chrono;
  const auto padded = [](auto value, std::size_t digits) {
    auto text = std::to_string(value);
    return std::string(digits - std::min(digits, text.size()), '0') + text;
  };
  if (time < minutes{1})
    return std::to_string(time.count() / 1'000'000) + '.' + padded(time.count() % 1'000'000 / 1000, 3) + " s";
  const auto all = duration_cast<seconds>(time).count();
  const auto rest = padded(all / 60 % 60, 2) + " min " + padded(all % 60, 2) + " s";
  return all < 3600 ? rest : std::to_string(all / 3600) + " h " + rest;
}

nlohmann::json to_json(const instance_summary& instance) {
  const auto duration = instance.duration();
  return {{"instance_id", instance.instance_id},
          {"workflow", instance.workflow},
          {"status", to_string(instance.status)},
          {"input", parsed(instance.input)},
          {"output", parsed(instance.output)},
          {"error", instance.error},
          {"cancel_reason", instance.cancel_reason},
          {"cancelled_by", instance.cancelled_by},
          {"parent", instance.parent},
          {"forked_from", instance.forked_from},
          {"fork_step", instance.fork_step},
          {"run", instance.run},
          {"owner", instance.owner},
          {"started_at", to_text(instance.started_at)},
          {"finished_at", finished_at(instance)},
          {"duration_us", duration ? nlohmann::json(duration->count()) : nlohmann::json()}};
}

/// `$[0].order_id=ORD-1`: up to the first '=' that is in no name in quotes. What follows is JSON, or else a string.
input_condition parse_input(const std::string& text) {
  std::size_t at = 0;
  for (bool quoted = false; at < text.size() && (quoted || text[at] != '='); ++at)
    if (text[at] == '"') quoted = !quoted;
  if (at == text.size())
    throw std::invalid_argument{"--input " + text + " has no '=': write it like --input '$[0].order_id=ORD-1'"};
  const auto value = text.substr(at + 1);
  auto json = nlohmann::json::parse(value, nullptr, false);
  return {text.substr(0, at), json.is_discarded() ? nlohmann::json(value) : std::move(json)};
}

instance_filter filter_of(const workflow_flags& given, instant now) {
  const auto time = [&](const char* flag, const std::string& text) -> std::optional<instant> {
    if (text.empty()) return std::nullopt;
    try {
      return parse_instant(text, now);
    } catch (const std::invalid_argument& e) {
      throw std::invalid_argument{std::string{flag} + ": " + e.what()};
    }
  };
  instance_filter wanted{.workflows = given.workflows,
                         .instance_id = given.id,
                         .id_prefix = given.id_prefix,
                         .id_contains = given.id_contains,
                         .started_after = time("--started-after", given.started_after),
                         .started_before = time("--started-before", given.started_before),
                         .finished_after = time("--finished-after", given.finished_after),
                         .finished_before = time("--finished-before", given.finished_before),
                         .order = given.newest_first ? instance_order::newest_first : instance_order::oldest_first,
                         .page = given.page};
  for (const auto& status : given.statuses) {
    const auto known = to_instance_status(status);
    if (!known)
      throw std::invalid_argument{"--status " + status +
                                  " is no status: use running, compensating, completed, failed, cancelled or parked"};
    wanted.statuses.push_back(*known);
  }
  for (const auto& condition : given.input) wanted.input.push_back(parse_input(condition));
  if (given.limit < 1) throw std::invalid_argument{"--limit " + std::to_string(given.limit) + ": set it to at least 1"};
  return wanted;
}

void print(const std::vector<instance_query::row>& rows) {
  std::size_t id_width = 0, workflow_width = 0;
  for (const auto& row : rows) {
    id_width = std::max(id_width, row.instance.instance_id.size());
    workflow_width = std::max(workflow_width, row.instance.error.empty() ? 0 : row.instance.workflow.size());
  }
  for (const auto& [instance, page] : rows) {
    std::cout << to_text(instance.started_at) << "  " << std::left << std::setw(12) << to_string(instance.status) << "  "
              << std::setw(static_cast<int>(id_width)) << instance.instance_id << "  ";
    if (instance.error.empty())
      std::cout << instance.workflow << '\n';
    else
      std::cout << std::setw(static_cast<int>(workflow_width)) << instance.workflow << "  " << instance.error << '\n';
  }
}

/// Pages of the API are smaller than what may be asked for here.
int print_list(const workflow_flags& given) {
  constexpr int largest_page = 1000;
  static_cast<void>(filter_of(given, {})); // usage comes before the database
  const auto db = open_database(given.database);
  auto wanted = filter_of(given, db->now(system_clock{}.now()));
  instance_query query{*db};
  try {
    for (int left = given.limit;;) {
      wanted.limit = std::min(left, largest_page);
      const auto found = query.list(wanted);
      if (given.json) {
        for (const auto& [instance, page] : found.items) {
          auto object = to_json(instance);
          object["page"] = page;
          std::cout << line(object) << '\n';
        }
      } else {
        print(found.items);
      }
      left -= static_cast<int>(found.items.size());
      if (!found.more) return 0;
      wanted.page = found.items.back().page;
      if (left > 0) continue;
      if (!given.json) std::cerr << "there are more: romancy workflow list --page " << wanted.page << " …\n";
      return 0;
    }
  } catch (const query_error& e) {
    throw std::invalid_argument{e.what()};
  }
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
  const auto found = instance_query{*db}.find(given.id);
  if (!found)
    throw error{"there is no instance " + given.id +
                ", or it has been removed since it finished: see romancy workflow list"};
  const auto& instance = found->instance;
  if (given.json) {
    auto object = to_json(instance);
    object["history"] = nlohmann::json::array();
    for (const auto& step : found->history)
      object["history"].push_back({{"activity_id", step.activity_id},
                                   {"event_type", step.type},
                                   {"event_data", step.data},
                                   {"position", step.position},
                                   {"attempts", step.attempts},
                                   {"details", parsed(step.details)},
                                   {"created_at", to_text(step.created_at)},
                                   {"took_us", step.took.count()}});
    object["waits"] = found->waits;
    object["pending_events"] = found->pending_events;
    object["pending_compensations"] = found->pending_compensations;
    std::cout << line(object) << '\n';
    return 0;
  }
  std::cout << "instance  " << instance.instance_id << "\nworkflow  " << instance.workflow << "\nstatus    "
            << to_string(instance.status) << "\nstarted   " << to_text(instance.started_at) << '\n';
  if (instance.finished_at)
    std::cout << "finished  " << finished_at(instance) << "\ntook      " << readable(*instance.duration()) << '\n';
  std::cout << "input     " << instance.input << '\n';
  if (!instance.output.empty()) std::cout << "output    " << instance.output << '\n';
  if (!instance.error.empty()) std::cout << "error     " << instance.error << '\n';
  if (!instance.cancel_reason.empty())
    std::cout << "cancel    " << instance.cancel_reason
              << (instance.cancelled_by.empty() ? "" : ", by " + instance.cancelled_by) << '\n';
  if (!instance.forked_from.empty())
    std::cout << "forked    from " << instance.forked_from << " at " << instance.fork_step << '\n';
  if (!instance.owner.empty()) std::cout << "owner     " << instance.owner << '\n';
  std::size_t step_width = 0, type_width = 0, took_width = 0;
  const auto type_of = [](const history_entry& step) {
    return step.type + (step.attempts > 1 ? " in attempt " + std::to_string(step.attempts) : "");
  };
  for (const auto& step : found->history) {
    step_width = std::max(step_width, step.activity_id.size());
    type_width = std::max(type_width, type_of(step).size());
    took_width = std::max(took_width, readable(step.took).size());
  }
  std::cout << "history\n";
  for (const auto& step : found->history) {
    std::cout << "  " << to_text(step.created_at) << "  " << std::right << std::setw(static_cast<int>(took_width))
              << readable(step.took) << "  " << std::left << std::setw(static_cast<int>(step_width)) << step.activity_id
              << "  " << std::setw(static_cast<int>(type_width)) << type_of(step) << "  " << step.data << '\n';
    print_errors(step.attempts, parsed(step.details));
  }
  for (const auto& wait : found->waits) std::cout << "waits     " << wait << '\n';
  for (const auto& id : found->pending_events) std::cout << "pending   event " << id << '\n';
  for (const auto& step : found->pending_compensations)
    std::cout << (instance.status == instance_status::compensating ? "to undo   " : "undoable  ") << step << '\n';
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
  const bool accepted = change(given, [&](instance_table& all) {
    return all.request_cancel(checked_cancel(given.id, given.reason, given.author));
  });
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
  auto* workflow =
      app.add_subcommand("workflow", "Look at instances, cancel them, let parked ones go on, fork them, replay them");
  workflow->require_subcommand(1);
  auto given = std::make_shared<workflow_flags>();
  auto common = [&](CLI::App& sub) {
    add_database_flag(sub, given->database);
    sub.add_flag("--json", given->json, "JSON instead of text");
  };
  auto* list = workflow->add_subcommand("list", "Instances, the oldest first");
  common(*list);
  list->add_option("--status", given->statuses, "Only of this status; may be given several times")
      ->allow_extra_args(false);
  list->add_option("--workflow", given->workflows, "Only of this workflow; may be given several times")
      ->allow_extra_args(false);
  list->add_option("--id", given->id, "Only this instance");
  list->add_option("--id-prefix", given->id_prefix, "Only ids that begin so");
  list->add_option("--id-contains", given->id_contains, "Only ids with this in them");
  const std::string how = ": 2026-11-28T18:50:32Z, or how long ago, such as 90s, 15m, 2h or 30d";
  list->add_option("--started-after", given->started_after, "Only those started then or later" + how);
  list->add_option("--started-before", given->started_before, "Only those started earlier" + how);
  list->add_option("--finished-after", given->finished_after, "Only those finished, or parked, then or later" + how);
  list->add_option("--finished-before", given->finished_before, "Only those finished, or parked, earlier" + how);
  list->add_option("--input", given->input,
                   "Only those started with this value: '$[0].order_id=ORD-1', where $[0] is the first parameter of the "
                   "workflow and what follows '=' is JSON, or a string; may be given several times")
      ->allow_extra_args(false);
  list->add_flag("--newest-first", given->newest_first, "The other way round");
  list->add_option("--limit", given->limit, "At most this many")->capture_default_str();
  list->add_option("--page", given->page, "What comes after an instance: its \"page\" of --json");
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
  cancelled->add_option("--author", given->author, "Who cancels it; kept as well");
  cancelled->callback([given, &run] { run = [given] { return cancel(*given); }; });
  auto* resumed = workflow->add_subcommand(
      "resume", "Let parked instances go on where they were, once the code fits their history again");
  common(*resumed);
  resumed->add_option("--id", given->id, "Only this instance");
  resumed->add_option("--workflow", given->workflow, "Only of this workflow");
  resumed->callback([given, &run] { run = [given] { return resume(*given); }; });
  add_workflow_fork(*workflow, run);
  add_workflow_replay(*workflow, run);
}

} // namespace romancy::cli
