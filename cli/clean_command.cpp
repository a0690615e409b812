#include <chrono>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include <romancy/error.hpp>

#include "actors/clock.hpp"
#include "cli/commands.hpp"
#include "cli/instant.hpp"
#include "cli/open_database.hpp"
#include "cli/relay_flags.hpp"
#include "storage/old_rows.hpp"
#include "storage/storage_failure.hpp"

namespace romancy::cli {

namespace {

struct clean_flags {
  std::string database;
  std::string finished_before;
  std::string delivered_before;
  std::string dead_before;
  std::string received_before;
  int batch = 100;
  bool dry_run = false;
  bool json = false;
};

struct cleaning {
  retention_target target;
  instant before;
};

std::vector<cleaning> cleanings_of(const clean_flags& given, instant now) {
  std::vector<cleaning> all;
  const auto add = [&](retention_target target, const char* flag, const std::string& text) {
    if (text.empty()) return;
    try {
      all.push_back({target, parse_instant(text, now)});
    } catch (const std::invalid_argument& e) {
      throw std::invalid_argument{std::string{flag} + ": " + e.what()};
    }
  };
  add(retention_target::delivered_events, "--delivered-before", given.delivered_before);
  add(retention_target::dead_events, "--dead-before", given.dead_before);
  add(retention_target::finished_instances, "--finished-before", given.finished_before);
  add(retention_target::inbox, "--received-before", given.received_before);
  if (all.empty())
    throw std::invalid_argument{
        "clean: say what to remove with --finished-before, --delivered-before, --dead-before or "
        "--received-before"};
  if (given.batch < 1 || given.batch > 1000)
    throw std::invalid_argument{"--batch " + std::to_string(given.batch) + ": set it to 1 to 1000"};
  return all;
}

/// One small transaction after the other, with as much time for others between them. What is in each other's way is tried
/// again.
long long remove_all(database& db, const cleaning& what, int batch) {
  constexpr int tries = 10;
  long long removed = 0;
  for (int failed = 0;;) {
    const auto began = std::chrono::steady_clock::now();
    int found = batch;
    try {
      db.begin();
      found = old_rows{db}.remove(what.target, what.before, batch);
      db.commit();
      removed += found;
      failed = 0;
    } catch (const storage_failure& e) {
      db.roll_back();
      if (!e.retryable() || !db.is_connected() || ++failed == tries) throw;
    }
    if (found < batch) return removed;
    std::this_thread::sleep_for(std::chrono::steady_clock::now() - began);
  }
}

int clean(const clean_flags& given) {
  static_cast<void>(cleanings_of(given, {})); // usage comes before the database
  const auto db = open_database(given.database);
  auto object = nlohmann::json::object();
  for (const auto& what : cleanings_of(given, db->now(system_clock{}.now()))) {
    const auto count = given.dry_run ? old_rows{*db}.count(what.target, what.before) : remove_all(*db, what, given.batch);
    if (db->in_transaction()) db->roll_back(); // MySQL has begun one to count
    const std::string name{to_string(what.target)};
    object[name] = count;
    if (!given.json)
      std::cout << std::left << std::setw(20) << name << count << (given.dry_run ? " would be removed\n" : " removed\n")
                << std::flush;
  }
  if (given.json) {
    object["dry_run"] = given.dry_run;
    std::cout << object << '\n';
  }
  return 0;
}

} // namespace

void add_clean(CLI::App& app, command& run) {
  auto* sub = app.add_subcommand("clean", "Remove finished instances and delivered events that are old enough");
  auto given = std::make_shared<clean_flags>();
  add_database_flag(*sub, given->database);
  const std::string how = ": how long ago, such as 30d or 12h, or 2026-11-28T18:50:32Z";
  sub->add_option("--finished-before", given->finished_before,
                  "Instances that were completed, failed or cancelled before that, with their history, unless events of "
                  "theirs are pending" +
                      how);
  sub->add_option("--delivered-before", given->delivered_before, "Events that were published before that" + how);
  sub->add_option("--dead-before", given->dead_before,
                  "Events that were sent before that, and are failed, invalid or expired" + how);
  sub->add_option("--received-before", given->received_before,
                  "What is known of events that were received before that, and messages for nobody" + how);
  sub->add_option("--batch", given->batch, "Removed in one transaction")->capture_default_str();
  sub->add_flag("--dry-run", given->dry_run, "Only count them");
  sub->add_flag("--json", given->json, "JSON instead of text");
  sub->callback([given, &run] { run = [given] { return clean(*given); }; });
}

} // namespace romancy::cli
