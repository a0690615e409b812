#include <romancy/replay_check.hpp>

#include <algorithm>
#include <filesystem>

#include "actors/replay_checker.hpp"
#include "storage/instance_query.hpp"
#include "storage/migrations.hpp"

namespace romancy {

namespace {

constexpr int page_size = 100;

/// A workflow by all its names.
std::vector<std::string> names_of(const detail::definition_table& definitions, const std::vector<std::string>& wanted) {
  std::vector<std::string> names = wanted;
  for (const auto& name : wanted)
    if (const auto* workflow = definitions.find_workflow(name)) {
      names.emplace_back(workflow->name);
      names.insert(names.end(), workflow->former.begin(), workflow->former.end());
    }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

/// The database must be there, and is not migrated. @throws startup_error
std::unique_ptr<database> open(const replay_options& options) {
  const auto url = database_url::parse(options.database);
  if (url.is_file() && !std::filesystem::exists(url.path))
    throw startup_error{"database '" + url.shown + "' does not exist: check the path"};
  auto db = database::open(url, {}, options.database_timeout);
  try {
    migrations::check(*db);
  } catch (const error& e) {
    throw startup_error{"database '" + url.shown + "': " + e.what()};
  }
  return db;
}

/// Instances, one after another.
class replay_check {
public:
  replay_check(const detail::definition_table& definitions, const replay_options& options)
      : options_{options}, workflows_{names_of(definitions, options.workflows)}, db_{open(options)}, query_{*db_},
        runs_{*db_}, checker_{environment_of(definitions, options)} {}

  replay_report report() {
    if (options_.instance_ids.empty())
      check_all();
    else
      for (const auto& id : options_.instance_ids)
        if (!check(id)) throw error{"there is no instance " + id + ", or it has been removed since it finished"};
    return std::move(report_);
  }

private:
  static environment_ptr environment_of(const detail::definition_table& definitions, const replay_options& options) {
    auto env = std::make_shared<environment>();
    env->definitions = definitions;
    env->options.max_payload_bytes = options.max_payload_bytes;
    return env;
  }

  void check_all() {
    instance_filter wanted{.statuses = options_.statuses, .workflows = workflows_, .limit = page_size};
    for (;;) {
      const auto page = query_.list(wanted);
      if (db_->in_transaction()) db_->roll_back();                                           // MySQL has begun one
      for (const auto& row : page.items) static_cast<void>(check(row.instance.instance_id)); // it may be gone meanwhile
      if (!page.more) return;
      wanted.page = page.items.back().page;
    }
  }

  /// False: it is not there.
  bool check(const std::string& id) {
    auto run = runs_.read(id);
    if (!run) return false;
    const auto status = run->instance.status;
    const auto has = [](const auto& all, const auto& one) { return std::find(all.begin(), all.end(), one) != all.end(); };
    if (options_.instance_ids.empty() && !options_.statuses.empty() && !has(options_.statuses, status)) return true;
    if (!workflows_.empty() && !has(workflows_, run->instance.workflow)) return true;
    ++report_.checked;
    replay_mismatch found{id, run->instance.workflow, status, {}};
    found.why = checker_.mismatch(std::move(*run));
    if (found.why.empty()) return true;
    ++report_.misfits;
    if (options_.on_mismatch)
      options_.on_mismatch(found);
    else
      report_.mismatches.push_back(std::move(found));
    return true;
  }

  const replay_options& options_;
  std::vector<std::string> workflows_;
  std::unique_ptr<database> db_;
  instance_query query_;
  run_reader runs_;
  replay_checker checker_;
  replay_report report_;
};

} // namespace

replay_report detail::check_replay(const definition_table& definitions, const replay_options& options) {
  return replay_check{definitions, options}.report();
}

} // namespace romancy
