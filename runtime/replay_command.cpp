#include <romancy/replay_check.hpp>

#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include "storage/database_url.hpp"

namespace romancy {

namespace {

constexpr auto usage =
    "workflow replay --dry-run --database URL [--workflow NAME]… [--id ID]… [--all] [--json]: whether this program can "
    "go "
    "on with the instances that are stored. --database: ROMANCY_DATABASE_URL stands in for it";

class replay_arguments {
public:
  /// @throws std::invalid_argument
  replay_arguments(int argc, const char* const* argv) : argc_{argc}, argv_{argv} {
    while (next_ < argc_) take(argv_[next_++]);
    if (const char* url = std::getenv("ROMANCY_DATABASE_URL"); url && options.database.empty()) options.database = url;
    if (help) return;
    if (!dry_run) throw std::invalid_argument{"stored histories are replayed only to check them: give --dry-run"};
    if (options.database.empty()) throw std::invalid_argument{"say which database with --database"};
  }

  replay_options options;
  bool dry_run = false;
  bool help = false;
  bool json = false;

private:
  void take(const std::string& argument) {
    const auto equals = argument.find('=');
    const auto flag = argument.substr(0, equals);
    const auto value = [&]() -> std::string {
      if (equals != std::string::npos) return argument.substr(equals + 1);
      if (next_ == argc_) throw std::invalid_argument{flag + " needs a value"};
      return argv_[next_++];
    };
    const bool plain = equals == std::string::npos;
    if (flag == "--database")
      options.database = value();
    else if (flag == "--workflow")
      options.workflows.push_back(value());
    else if (flag == "--id")
      options.instance_ids.push_back(value());
    else if (flag == "--all" && plain)
      options.statuses.insert(options.statuses.end(),
                              {instance_status::completed, instance_status::failed, instance_status::cancelled});
    else if (flag == "--dry-run" && plain)
      dry_run = true;
    else if (flag == "--json" && plain)
      json = true;
    else if (flag == "--help" && plain)
      help = true;
    else
      throw std::invalid_argument{"unknown argument " + without_password(argument)};
  }

  int argc_;
  const char* const* argv_;
  int next_ = 3;
};

std::string line(const nlohmann::json& object) {
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

int run(const detail::definition_table& definitions, replay_arguments& given) {
  given.options.on_mismatch = [&](const replay_mismatch& found) {
    if (given.json)
      std::cout << line({{"instance_id", found.instance_id},
                         {"workflow", found.workflow},
                         {"status", to_string(found.status)},
                         {"why", found.why}})
                << '\n';
    else
      std::cout << found.instance_id << "  " << found.workflow << "  " << to_string(found.status) << ": " << found.why
                << '\n';
  };
  const auto report = detail::check_replay(definitions, given.options);
  if (given.json)
    std::cout << line({{"checked", report.checked}, {"misfits", report.misfits}}) << std::endl;
  else
    std::cout << report.checked << (report.checked == 1 ? " instance" : " instances") << " checked, " << report.misfits
              << (report.misfits == 1 ? " does" : " do") << " not fit" << std::endl;
  return report.fits() ? 0 : 1;
}

} // namespace

std::optional<int> detail::replay_command(const definition_table& definitions, int argc, const char* const* argv) {
  if (argc < 3 || std::string_view{argv[1]} != "workflow" || std::string_view{argv[2]} != "replay") return std::nullopt;
  try {
    replay_arguments given{argc, argv};
    if (!given.help) return run(definitions, given);
    std::cout << argv[0] << ' ' << usage << std::endl;
    return 0;
  } catch (const std::invalid_argument& e) {
    std::cerr << argv[0] << ": workflow replay: " << e.what() << " (see --help)\n";
  } catch (const std::exception& e) {
    std::cerr << argv[0] << ": workflow replay: " << e.what() << '\n';
  }
  return 2;
}

} // namespace romancy
