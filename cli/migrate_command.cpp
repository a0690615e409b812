#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/relay_flags.hpp"
#include "storage/migrations.hpp"

namespace romancy::cli {

void add_migrate(CLI::App& app, command& run) {
  struct flags {
    std::string database;
    bool json = false;
  };
  auto* sub =
      app.add_subcommand("migrate", "Bring the schema of a database up to date; apps do it themselves when they start");
  auto given = std::make_shared<flags>();
  add_database_flag(*sub, given->database);
  sub->add_flag("--json", given->json, "One JSON object instead of text");
  sub->callback([given, &run] {
    run = [given] {
      const auto db = database::open(database_url::parse(given->database), {.busy_timeout = std::chrono::seconds{30}},
                                     std::chrono::seconds{30});
      const auto applied = migrations::apply(*db);
      if (given->json) {
        std::cout << nlohmann::json{{"version", migrations::newest()}, {"applied", applied}} << '\n';
        return 0;
      }
      for (const auto& name : applied) std::cout << "applied " << name << '\n';
      std::cout << "schema version " << migrations::newest() << (applied.empty() ? ", nothing to do\n" : "\n");
      return 0;
    };
  });
}

} // namespace romancy::cli
