#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include <romancy/error.hpp>

#include "cli/commands.hpp"
#include "cli/open_database.hpp"
#include "cli/relay_flags.hpp"
#include "storage/migrations.hpp"

namespace romancy::cli {

namespace {

struct migrate_flags {
  std::string database;
  bool plan = false;
  bool check = false;
  bool apply = false; ///< what it does anyway
  bool json = false;
};

bool is_missing_file(const database_url& url) { return url.is_file() && !std::filesystem::exists(url.path); }

int print_plan(const migrate_flags& given) {
  const auto url = database_url::parse(given.database);
  int version = 0;
  std::vector<migrations::step> steps;
  if (is_missing_file(url)) { // opening would make it
    steps = migrations::all(sqlite3_dialect);
  } else {
    const auto db = open_unchecked(url);
    version = migrations::current(*db);
    steps = naming(url, [&] { return migrations::pending(*db); });
  }
  if (given.json) {
    nlohmann::json object{{"version", version}, {"newest", migrations::newest()}, {"steps", nlohmann::json::array()}};
    for (const auto& step : steps)
      object["steps"].push_back(
          {{"version", step.version}, {"name", step.name}, {"sql", step.sql + migrations::record(step)}});
    if (version == 0) object["before"] = migrations::schema_table;
    std::cout << object << '\n';
    return 0;
  }
  std::cout << "-- schema version " << version;
  if (steps.empty()) {
    std::cout << ", nothing to do\n";
    return 0;
  }
  std::cout << " becomes " << migrations::newest() << " by " << steps.size() << " steps\n";
  if (version == 0) std::cout << '\n' << migrations::schema_table;
  for (const auto& step : steps) std::cout << "\n-- step " << step.name << '\n' << step.sql << migrations::record(step);
  return 0;
}

int check(const migrate_flags& given) {
  const auto url = database_url::parse(given.database);
  const bool missing = is_missing_file(url);
  const auto db = missing ? nullptr : open_unchecked(url);
  const int version = missing ? 0 : migrations::current(*db);
  if (given.json)
    std::cout << nlohmann::json{{"version", version},
                                {"newest", migrations::newest()},
                                {"current", version == migrations::newest()}}
              << '\n';
  if (missing) refuse_missing(url);
  naming(url, [&] { migrations::check(*db); });
  if (!given.json) std::cout << "schema version " << version << ", nothing to do\n";
  return 0;
}

int apply(const migrate_flags& given) {
  const auto url = database_url::parse(given.database);
  const auto db = open_unchecked(url);
  const auto applied = naming(url, [&] { return migrations::apply(*db); });
  if (given.json) {
    std::cout << nlohmann::json{{"version", migrations::newest()}, {"applied", applied}} << '\n';
    return 0;
  }
  for (const auto& name : applied) std::cout << "applied " << name << '\n';
  std::cout << "schema version " << migrations::newest() << (applied.empty() ? ", nothing to do\n" : "\n");
  return 0;
}

} // namespace

void add_migrate(CLI::App& app, command& run) {
  auto* sub =
      app.add_subcommand("migrate", "Bring the schema of a database up to date; apps do it themselves when they start");
  auto given = std::make_shared<migrate_flags>();
  add_database_flag(*sub, given->database);
  auto* plan = sub->add_flag("--plan", given->plan, "Only print the steps that are missing, with their SQL");
  auto* only_check = sub->add_flag("--check", given->check, "Only look: 0 if the schema is up to date, 1 if it is not");
  auto* change =
      sub->add_flag("--apply", given->apply, "Apply the steps that are missing: what it does unless told otherwise");
  plan->excludes(only_check)->excludes(change);
  only_check->excludes(change);
  sub->add_flag("--json", given->json, "One JSON object instead of text");
  sub->callback([given, &run] {
    run = [given] { return given->plan ? print_plan(*given) : given->check ? check(*given) : apply(*given); };
  });
}

} // namespace romancy::cli
