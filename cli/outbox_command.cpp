#include <iomanip>
#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include <romancy/error.hpp>

#include "actors/clock.hpp"
#include "cli/commands.hpp"
#include "cli/open_database.hpp"
#include "cli/relay_flags.hpp"
#include "storage/outbox_reader.hpp"
#include "storage/outbox_table.hpp"
#include "storage/timestamp.hpp"

namespace romancy::cli {

namespace {

struct outbox_flags {
  std::string database;
  std::string status;
  std::string type;
  std::string id;
  int limit = 100;
  bool json = false;
};

outbox_filter filter_of(const outbox_flags& given) {
  outbox_filter filter{.event_type = given.type, .event_id = given.id, .limit = given.limit};
  if (!given.status.empty()) {
    filter.status = to_outbox_status(given.status);
    if (!filter.status)
      throw std::invalid_argument{"--status " + given.status +
                                  " is no status: use pending, published, failed, invalid or expired"};
  }
  return filter;
}

int print_status(const outbox_flags& given) {
  const auto db = open_database(given.database);
  const auto counts = outbox_reader{*db}.status_counts();
  nlohmann::json object;
  for (const auto& [status, count] : counts) {
    object[std::string{to_string(status)}] = count;
    if (!given.json) std::cout << std::left << std::setw(10) << to_string(status) << count << '\n';
  }
  if (given.json) std::cout << object << '\n';
  return 0;
}

int print_list(const outbox_flags& given) {
  const auto db = open_database(given.database);
  for (const auto& event : outbox_reader{*db}.list(filter_of(given))) {
    if (!given.json) {
      std::cout << to_text(event.created_at) << "  " << std::left << std::setw(9) << to_string(event.status) << "  "
                << event.event_id << "  " << event.event_type << (event.last_error.empty() ? "" : "  " + event.last_error)
                << '\n';
      continue;
    }
    nlohmann::json object{{"event_id", event.event_id},
                          {"event_type", event.event_type},
                          {"event_source", event.event_source},
                          {"event_data", event.event_data},
                          {"data_encoding", event.data_encoding},
                          {"content_type", event.content_type},
                          {"instance_id", event.instance_id},
                          {"status", to_string(event.status)},
                          {"retry_count", event.retry_count},
                          {"last_error", event.last_error},
                          {"created_at", to_text(event.created_at)}};
    auto attributes =
        event.attributes.empty() ? nlohmann::json::object() : nlohmann::json::parse(event.attributes, nullptr, false);
    object["attributes"] = attributes.is_discarded() ? nlohmann::json(event.attributes) : std::move(attributes);
    object["published_at"] = event.published_at ? nlohmann::json(to_text(*event.published_at)) : nlohmann::json();
    std::cout << object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  }
  return 0;
}

int redrive(const outbox_flags& given) {
  if (given.id.empty() && given.status.empty() && given.type.empty())
    throw std::invalid_argument{"outbox redrive: say which events with --id, --status or --type"};
  static_cast<void>(filter_of(given)); // refuses a status that is none
  if (given.status == "pending" || given.status == "published")
    throw std::invalid_argument{"--status " + given.status + ": only failed, invalid and expired events can be redriven"};
  const auto db = open_database(given.database);
  db->begin();
  const int redriven = outbox_table{*db}.redrive(given.id, given.type, given.status, system_clock{}.now());
  db->commit();
  db->notify(events_topic);
  if (given.json)
    std::cout << nlohmann::json{{"redriven", redriven}} << '\n';
  else
    std::cout << redriven << " events are pending again\n";
  if (redriven == 0 && !given.id.empty())
    throw error{"event " + given.id + " is not there, or is pending or published: see romancy outbox list --id " +
                given.id};
  return 0;
}

} // namespace

void add_outbox(CLI::App& app, command& run) {
  auto* outbox = app.add_subcommand("outbox", "Look at the outbox, and put dead events back");
  outbox->require_subcommand(1);
  auto given = std::make_shared<outbox_flags>();
  auto common = [&](CLI::App& sub) {
    add_database_flag(sub, given->database);
    sub.add_flag("--json", given->json, "JSON instead of text");
  };
  auto selecting = [&](CLI::App& sub) {
    common(sub);
    sub.add_option("--status", given->status, "Only of this status");
    sub.add_option("--type", given->type, "Only of this event type");
    sub.add_option("--id", given->id, "Only this event");
  };
  auto* status = outbox->add_subcommand("status", "How many events have which status");
  common(*status);
  status->callback([given, &run] { run = [given] { return print_status(*given); }; });
  auto* list = outbox->add_subcommand("list", "Events, in order of insertion");
  selecting(*list);
  list->add_option("--limit", given->limit, "At most this many")->capture_default_str();
  list->callback([given, &run] { run = [given] { return print_list(*given); }; });
  auto* again = outbox->add_subcommand(
      "redrive",
      "Put failed, invalid and expired events back to pending; expired ones expire again unless the limit is raised");
  selecting(*again);
  again->callback([given, &run] { run = [given] { return redrive(*given); }; });
}

} // namespace romancy::cli
