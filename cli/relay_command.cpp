#include <memory>
#include <string>

#include <romancy/error.hpp>
#include <romancy/outbox_relayer.hpp>

#include "cli/commands.hpp"
#include "cli/duration.hpp"
#include "cli/relay_flags.hpp"
#include "cli/stop_signal.hpp"

namespace romancy::cli {

void add_relay(CLI::App& app, command& run) {
  struct flags {
    explicit flags(CLI::App& sub) : relay{sub} {}
    relay_flags relay;
    std::string database;
    std::string worker_id = "relay";
    std::string lease = "10s";
    std::string database_timeout = "30s";
    bool once = false;
  };
  auto* sub =
      app.add_subcommand("relay", "Deliver the events of an outbox until SIGINT or SIGTERM; any number may run at once");
  auto given = std::make_shared<flags>(*sub);
  add_database_flag(*sub, given->database);
  add_database_timeout_flag(*sub, given->database_timeout);
  sub->add_option("--worker-id", given->worker_id, "A label for people")->capture_default_str();
  sub->add_option("--lease", given->lease, "How long a silent process keeps what it has claimed")->capture_default_str();
  sub->add_flag("--once", given->once, "Try what is due now, and end");
  sub->callback([given, &run] {
    run = [given] {
      stop_signal stop;
      relayer_options options;
      static_cast<outbox_options&>(options) = given->relay.options();
      options.database = given->database;
      options.worker_id = given->worker_id;
      options.worker_lease = parse_duration(given->lease);
      options.database_timeout = parse_duration(given->database_timeout);
      outbox_relayer relayer{std::move(options)};
      relayer.start();
      if (!given->once) {
        stop.wait();
        return 0;
      }
      while (!relayer.run_once(std::chrono::milliseconds{200}))
        if (stop.wait_for(std::chrono::milliseconds{0})) throw error{"stopped before everything that is due was tried"};
      return 0;
    };
  });
}

} // namespace romancy::cli
