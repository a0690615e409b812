#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <romancy/app_options.hpp>
#include <romancy/detail/ports.hpp>

#include "actors/attempt_watcher.hpp"
#include "actors/clock.hpp"
#include "actors/completion_board.hpp"
#include "actors/entropy.hpp"
#include "actors/health_board.hpp"
#include "actors/http_port.hpp"
#include "storage/database.hpp"
#include "storage/listener.hpp"

namespace romancy {

/// All that actors need from outside: what they serve, how they were configured, and the ports through which they reach
/// time, randomness, database and network. Shared by all actors of an app; constant once the first of them runs.
struct environment {
  detail::definition_table definitions;
  detail::dependency_set dependencies;
  app_options options;

  std::shared_ptr<romancy::clock> clock = std::make_shared<system_clock>();
  std::shared_ptr<romancy::entropy> entropy = std::make_shared<system_entropy>();
  /// What the database speaks.
  const romancy::dialect* dialect = &sqlite3_dialect;
  /// Opens the database under a name; called at each start of a coordinator. May throw.
  std::function<std::shared_ptr<database>(const std::string& name)> open_database;
  /// Opens what hears of the commits of other processes. Null: the database does not tell, or nobody asked.
  std::function<std::unique_ptr<listener>()> open_listener;
  /// Opens the way to the network; called at each start of a publisher.
  std::function<std::unique_ptr<http_port>(int max_in_flight)> open_http;
  /// For a runtime that lives on one thread: does one piece of the coordinator's work, so that user code can wait for a
  /// session, or lets time go on, and takes it from the patience; false when none is left. Null: there are threads, and
  /// waiting is waiting.
  std::function<bool(std::chrono::milliseconds& patience)> pump;
  /// Null: nobody watches.
  std::shared_ptr<attempt_watcher> attempts;

  std::shared_ptr<completion_board> completions = std::make_shared<completion_board>();
  std::shared_ptr<health_board> health = std::make_shared<health_board>();

  bool single_threaded() const { return static_cast<bool>(pump); }
  /// Names of workflows, former ones included.
  std::vector<std::string> served_workflows() const {
    std::vector<std::string> names;
    for (const auto& workflow : definitions.workflows) {
      names.emplace_back(workflow.name);
      names.insert(names.end(), workflow.former.begin(), workflow.former.end());
    }
    return names;
  }
  std::string uuid() const { return new_uuid(*entropy, clock->now()); }
};
using environment_ptr = std::shared_ptr<const environment>;

} // namespace romancy
