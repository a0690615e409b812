#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/duration.hpp"
#include "cli/event_sink.hpp"
#include "cli/stop_signal.hpp"

namespace romancy::cli {

namespace {

nlohmann::json to_json(const cloud_event& event) {
  nlohmann::json line = event.attributes;
  if (event.kind != cloud_event::data_kind::none)
    line[event.kind == cloud_event::data_kind::bytes ? "data_base64" : "data"] = event.data;
  return {{"event", std::move(line)}, {"mode", to_string(event.mode)}, {"answered", event.status}};
}

} // namespace

void add_sink(CLI::App& app, command& run) {
  struct flags {
    std::uint16_t port = 0;
    std::string script;
    std::string random;
    std::uint64_t seed = 1;
    std::string delay = "0ms";
    std::string output;
    bool quiet = false;
  };
  auto* sub =
      app.add_subcommand("sink", "Receive CloudEvents on 127.0.0.1, for development; prints each as a line of JSON");
  auto given = std::make_shared<flags>();
  sub->add_option("--port", given->port, "Where to listen; 0: any free port, which is printed on stderr")->required();
  sub->add_option("--script", given->script, "Answers one after the other, then 202: 503,503,close,hang,202");
  sub->add_option("--random", given->random, "Answers drawn by weight: 202:6,503:2,close:2")->excludes("--script");
  sub->add_option("--random-seed", given->seed, "What --random begins with")->capture_default_str();
  sub->add_option("--delay", given->delay, "How long each answer waits")->capture_default_str();
  sub->add_option("--output", given->output, "Append the lines to this file instead of stdout");
  sub->add_flag("--quiet", given->quiet, "Print nothing, only receive");
  sub->callback([given, &run] {
    run = [given] {
      stop_signal stop;
      std::ofstream file;
      if (!given->output.empty()) {
        file.open(given->output, std::ios::app);
        if (!file) throw std::invalid_argument{"--output " + given->output + " cannot be written: check the path"};
      }
      auto& lines = given->output.empty() ? std::cout : file;
      event_sink_options options;
      options.port = given->port;
      options.delay = parse_duration(given->delay);
      options.script = given->random.empty() ? answer_script::parse(given->script.empty() ? "202" : given->script)
                                             : answer_script::random(given->random, given->seed);
      if (!given->quiet) options.on_event = [&lines](const cloud_event& event) { lines << to_json(event) << std::endl; };
      const event_sink sink{std::move(options)};
      std::cerr << "romancy sink: listening on http://127.0.0.1:" << sink.port() << '\n';
      stop.wait();
      return 0;
    };
  });
}

} // namespace romancy::cli
