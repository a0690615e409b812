#include "runtime/engine.hpp"

#include <algorithm>
#include <cstdlib>
#include <future>
#include <thread>

#include <romancy/caf.hpp>

#include "actors/event_check.hpp"
#include "actors/guard.hpp"
#include "actors/http_client.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"
#include "runtime/statement_hook.hpp"
#include "storage/migrations.hpp"
#include "storage/storage_failure.hpp"
#include "storage/tables.hpp"

namespace romancy {

namespace {

template <class T> void at_least(const std::string& option, T value, T least) {
  if (value < least) {
    if constexpr (requires { value.count(); })
      throw startup_error{option + " is " + std::to_string(value.count()) + " ms: set it to at least " +
                          std::to_string(least.count()) + " ms"};
    else
      throw startup_error{option + " is " + std::to_string(value) + ": set it to at least " + std::to_string(least)};
  }
}

/// What is longer is as good as for ever, and must not overflow where it is added to a time.
constexpr std::chrono::hours for_ever{24 * 365};

/// An age of 100 years is one that nothing has; more must not overflow where it is taken from a time.
void limit_ages(retention_options& options) {
  for (auto* age : {&options.finished_instances, &options.delivered_events, &options.dead_events, &options.inbox})
    *age = std::min<std::chrono::milliseconds>(*age, 100 * for_ever);
}

template <class... Durations> void limit(Durations&... durations) {
  ((durations = std::min<std::chrono::milliseconds>(durations, for_ever)), ...);
}

} // namespace

void check(const outbox_options& options) {
  using std::chrono::milliseconds;
  if (options.broker_url.empty())
    throw startup_error{
        "outbox.broker_url is empty: set it to where events are POSTed, like http://localhost:8080/events"};
  if (const auto why = why_no_http_url(options.broker_url); !why.empty())
    throw startup_error{"outbox.broker_url '" + without_password(options.broker_url) +
                        "' is no http:// or https:// URL (" + why + ")"};
  at_least("outbox.poll_interval", options.poll_interval, milliseconds{1});
  at_least("outbox.max_retries", options.max_retries, 1);
  at_least("outbox.batch_size", options.batch_size, 1);
  at_least("outbox.max_in_flight", options.max_in_flight, 1);
  at_least("outbox.request_timeout", options.request_timeout, milliseconds{1});
  if (!(options.max_age_hours >= 0))
    throw startup_error{"outbox.max_age_hours is negative: set it to a number of hours, or to 0 for no limit"};
}

void check(const retention_options& options) {
  using std::chrono::milliseconds;
  at_least("retention.finished_instances", options.finished_instances, milliseconds{0});
  at_least("retention.delivered_events", options.delivered_events, milliseconds{0});
  at_least("retention.dead_events", options.dead_events, milliseconds{0});
  at_least("retention.inbox", options.inbox, milliseconds{0});
  at_least("retention.interval", options.interval, milliseconds{1});
  at_least("retention.batch", options.batch, 1);
  if (options.batch > 1000)
    throw startup_error{"retention.batch is " + std::to_string(options.batch) + ": set it to at most 1000"};
}

void check(const app_options& options) {
  using std::chrono::milliseconds;
  check(options.retention);
  if (options.outbox.enabled) check(options.outbox);
  try {
    check_name(options.service_name, "service_name");
  } catch (const payload_error& e) {
    throw startup_error{e.what()};
  }
  if (options.service_name.find(' ') != std::string::npos)
    throw startup_error{"service_name '" + options.service_name +
                        "' has a space: it is the source of events, a URI reference"};
  at_least("database_sessions", options.database_sessions, 1);
  at_least("executors", options.executors, 1);
  at_least("max_running_instances", options.max_running_instances, 1);
  at_least("max_waiting_starts", options.max_waiting_starts, 1);
  at_least("max_scope_depth", options.max_scope_depth, 1);
  at_least("worker_lease", options.worker_lease, milliseconds{100});
  at_least("unserved_grace", options.unserved_grace, milliseconds{0});
  at_least("database_timeout", options.database_timeout, milliseconds{1});
  at_least("shutdown_timeout", options.shutdown_timeout, milliseconds{0});
}

engine::engine(app_options options, detail::definition_table definitions, detail::dependency_set dependencies)
    : url_{database_url::parse(options.database)}, env_{std::make_shared<environment>()} {
  if (std::getenv("ROMANCY_REPLAY_ONLY")) // by romancy workflow replay
    throw startup_error{
        "this program was run to check how it replays, and nothing else: begin its main with "
        "romancy::replay_command<workflows…>(argc, argv)"};
  check(options);
  limit(options.database_timeout, options.shutdown_timeout, options.worker_lease, options.unserved_grace,
        options.retention.interval);
  limit_ages(options.retention);
  if (options.worker_id.empty()) options.worker_id = "worker";
  env_->definitions = definitions;
  env_->dependencies = std::move(dependencies);
  env_->options = std::move(options);
  const database::options how{std::min(env_->options.database_timeout, std::chrono::milliseconds{1000}),
                              installed_statement_hook()};
  env_->open_database = [url = url_, how](const std::string& name) {
    auto named = how;
    named.name = name;
    return std::shared_ptr<database>{database::open(url, named, std::chrono::milliseconds{1000})};
  };
  env_->dialect = &dialect_of(url_);
  if (env_->options.notify && env_->dialect->notifies) env_->open_listener = [url = url_] { return listener::open(url); };
  env_->open_http = [](int max_in_flight) { return std::make_unique<http_client>(max_in_flight); };

  make_ready(how);

  if (!env_->options.actor_system) {
    config_ = std::make_unique<caf::actor_system_config>();
    configure(*config_);
    system_ = std::make_unique<caf::actor_system>(*config_);
  }
  core_ = std::make_unique<core_actors>(system_ ? *system_ : *env_->options.actor_system, env_);
  // This thread would go on holding the logger of the system, which could then end on no other thread.
  if (system_) caf::logger::set_current_actor_system(nullptr);
  if (env_->options.outbox.enabled) add_relayer(env_->options.outbox);
}

engine::~engine() { shut_down(); }

/// Waits for the database as long as options say, and brings its schema up to date. @throws startup_error
void engine::make_ready(database::options how) const {
  const auto& patience = env_->options.database_timeout;
  const auto end = std::chrono::steady_clock::now() + patience;
  how.on_waiting = [&](const std::string& why) {
    log().warn("database {}: waiting for it, up to {} ms: {}", url_.shown, patience.count(), why);
  };
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const auto db = database::open(url_, how, std::max(left, std::chrono::milliseconds{0}));
    try {
      for (const auto& step : migrations::apply(*db)) log().info("database {}: applied migration {}", url_.shown, step);
      for (const auto& [workflow, count] : open_tables<instance_table>(*db)->unfinished())
        if (!env_->definitions.workflows.empty() && !env_->definitions.find_workflow(workflow))
          log().warn("{} unfinished instances of the workflow '{}' wait for an app that serves it", count, workflow);
      return;
    } catch (const storage_failure& e) {
      const bool locked = e.kind() == failure_kind::busy; // then each try has waited for the lock
      const bool passes = url_.is_file() ? locked : e.retryable();
      if (!passes || std::chrono::steady_clock::now() >= end)
        throw startup_error{"database '" + url_.shown + "': " + e.what() +
                            (locked ? ": stop it, or raise database_timeout" : "")};
    } catch (const startup_error& e) {
      throw startup_error{"database '" + url_.shown + "': " + e.what()};
    }
  }
}

void engine::add_relayer(const outbox_options& options) {
  check(options);
  const std::lock_guard lock{mutex_};
  if (stopped_) throw startup_error{"the app is shut down: start the relayer before"};
  if (*relays_)
    throw startup_error{"this app relays its outbox already: set outbox.enabled to false, or use one outbox_relayer"};
  auto limited = options;
  limit(limited.poll_interval, limited.request_timeout);
  core_->add_relayer(limited);
  *relays_ = true;
}

void engine::remove_relayer() {
  auto removed = std::make_shared<std::promise<void>>();
  {
    const std::lock_guard lock{mutex_};
    if (!*relays_ || stopped_) return;
    core_->remove_relayer([removed, relays = relays_] {
      *relays = false;
      removed->set_value();
    });
  }
  if (removed->get_future().wait_for(env_->options.shutdown_timeout) != std::future_status::ready)
    log().warn("the relayer has not ended within {} ms: it is ending, and another one is refused as long as it does",
               env_->options.shutdown_timeout.count());
}

romancy::health engine::health() const { return env_->health->read(); }

bool engine::stopped() const {
  const std::lock_guard lock{mutex_};
  return stopped_;
}

void engine::shut_down() {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(stopped_, true)) return;
  }
  const auto deadline = std::chrono::steady_clock::now() + env_->options.shutdown_timeout;
  auto ended = std::make_shared<std::promise<void>>();
  core_->supervisor()->attach_functor([ended](const caf::error&) { ended->set_value(); });
  core_->drain();
  if (ended->get_future().wait_until(deadline) != std::future_status::ready) {
    std::string left;
    for (const auto& part : env_->health->read().parts) left += (left.empty() ? "" : ", ") + part.name;
    log().error("shutdown takes longer than {} ms; not waiting for: {}", env_->options.shutdown_timeout.count(), left);
    caf::anon_send_exit(core_->supervisor(), caf::exit_reason::kill);
  }
  env_->completions->close();
  core_->forget();
  if (!system_) return; // the service's own goes on
  const auto last = std::chrono::steady_clock::now() + std::chrono::seconds{1};
  while (system_->registry().running() > 0 && std::chrono::steady_clock::now() < last)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  if (const auto running = system_->registry().running(); running > 0) {
    // User code cannot be stopped. Its thread keeps what it uses.
    log().error("{} actors still run user code: they are left behind", running);
    static_cast<void>(system_.release());
    static_cast<void>(config_.release());
    return;
  }
  system_.reset();
}

} // namespace romancy
