#include "testing/simulation.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <typeinfo>

#include <cxxabi.h>

#include "actors/event_intake.hpp"
#include "actors/guard.hpp"
#include "actors/message_types.hpp"
#include "storage/migrations.hpp"

namespace romancy::testing {

namespace {

/// Ends an actor as a killed process does: none of its handlers runs.
void end(caf::local_actor* actor) {
  if (!actor || actor->getf(caf::abstract_actor::is_cleaned_up_flag)) return;
  actor->context(nullptr); // that of its last message is gone
  actor->on_exit();
  actor->cleanup(caf::exit_reason::kill, nullptr);
}

constexpr auto clock_zero = std::chrono::hours{1}; // the test clock gives 0 a meaning of its own

/// The same numbers in each run of the program, others in each simulation: two lives of an app are two epochs.
class counting_entropy final : public entropy {
public:
  explicit counting_entropy(std::uint64_t seed) {
    static std::uint64_t simulations = 0;
    state_ = (seed == 0 ? ++simulations : seed) << 32;
  }
  std::uint64_t next() override { return state_ = state_ * 6364136223846793005U + 1442695040888963407U; }

private:
  std::uint64_t state_;
};
/// "wait_for"
std::string short_name(const std::type_info& type) {
  int failed = 0;
  const std::unique_ptr<char, decltype(&std::free)> name{abi::__cxa_demangle(type.name(), nullptr, nullptr, &failed),
                                                         &std::free};
  const std::string_view whole = name ? name.get() : type.name();
  return std::string{whole.substr(whole.rfind(':') + 1)};
}
} // namespace

class simulation::virtual_clock final : public clock {
public:
  virtual_clock(caf::scheduler::test_coordinator& scheduler, time_point zero) : scheduler_{scheduler}, zero_{zero} {}
  time_point now() const override {
    return zero_ + std::chrono::duration_cast<std::chrono::microseconds>(
                       scheduler_.clock().current_time.time_since_epoch() - clock_zero);
  }

private:
  caf::scheduler::test_coordinator& scheduler_;
  time_point zero_;
};

class simulation::scripted_http final : public http_port {
public:
  explicit scripted_http(simulation& world) : world_{world} {}
  ~scripted_http() override {
    std::erase_if(world_.on_wire_, [this](const auto& entry) { return entry.second.from == this; });
  }
  void post(http_request request, std::function<void(http_response)> answer) override {
    world_.sent.push_back({world_.now(), request});
    const auto n = static_cast<int>(world_.sent.size());
    world_.on_wire_.emplace(n, request_on_wire{this, std::move(answer)});
    auto said = world_.broker ? world_.broker(n, request) : http_response{202, ""};
    if (!said.after) return;
    if (*said.after == std::chrono::milliseconds{0}) return world_.answer(n, std::move(said.response));
    caf::delayed_anon_send(world_.broker_clock_, *said.after, n, said.response.status, std::move(said.response.error));
  }

private:
  simulation& world_;
};

simulation::simulation(std::string path, app_options options, detail::definition_table definitions,
                       detail::dependency_set dependencies, simulation_start how)
    : env_{std::make_shared<environment>()} {
  config_.set("scheduler.policy", caf::atom("testing"));
  config_.set("logger.inline-output", true);
  system_ = std::make_unique<caf::actor_system>(config_);
  scheduler_ = dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler());
  scheduler_->clock().current_time += clock_zero + how.at;

  const auto url = database_url::parse(path);
  db_ = database::open(url, {.durable = false}, std::chrono::seconds{1});
  static_cast<void>(migrations::apply(*db_));
  if (url.kind == database_url::backend::mysql) db_->session() << "SET autocommit = 1"; // for SQL of the test

  env_->definitions = definitions;
  env_->dependencies = std::move(dependencies);
  options.database = std::move(path);
  if (options.worker_id.empty()) options.worker_id = "simulated";
  env_->options = std::move(options);
  env_->clock = std::make_shared<virtual_clock>(*scheduler_, how.zero);
  env_->entropy = std::make_shared<counting_entropy>(how.seed);
  env_->dialect = &dialect_of(url);
  env_->attempts = std::move(how.attempts);
  env_->open_database = [this, url](const std::string& name) {
    if (on_open) on_open();
    database::options connecting{.busy_timeout = std::chrono::milliseconds{1}, // it is real time that passes
                                 .own_clock = false,
                                 .durable = false, // it is the process that dies, not the machine
                                 .name = name};
    const auto opened = std::make_shared<database*>(nullptr);
    if (dead) throw startup_error{"nobody is there any more"};
    connecting.on_statement = [this, opened](const char* sql) {
      if (on_statement && *opened) on_statement(**opened, sql);
    };
    std::shared_ptr<database> db{database::open(url, connecting, std::chrono::seconds{1})};
    *opened = db.get();
    return db;
  };
  env_->open_http = [this](int) { return std::make_unique<scripted_http>(*this); };
  env_->pump = [this](std::chrono::milliseconds& patience) {
    auto& jobs = scheduler_->jobs;
    const auto coordinator = std::find_if(jobs.begin(), jobs.end(), [](caf::resumable* job) {
      auto* actor = dynamic_cast<caf::local_actor*>(job);
      const std::string_view name = actor ? actor->name() : "";
      return name == "transaction_coordinator" || name == "session_pool";
    });
    if (coordinator == jobs.end()) {
      constexpr std::chrono::milliseconds tick{1};
      if (patience < tick) return false;
      patience -= tick;
      scheduler_->clock().advance_time(tick);
      return true;
    }
    std::rotate(jobs.begin(), coordinator, std::next(coordinator));
    return scheduler_->try_run_once();
  };
  broker_clock_ = system_->spawn([this](caf::event_based_actor*) -> caf::behavior {
    return {[this](int n, int status, const std::string& error) { answer(n, {status, error}); }};
  });
  core_ = std::make_unique<core_actors>(*system_, env_);
}

simulation::~simulation() {
  if (system_) crash();
}

void simulation::start_relayer(const outbox_options& options) { core_->add_relayer(options); }

void simulation::answer(int n, http_response response) {
  if (auto node = on_wire_.extract(n)) node.mapped().answer(std::move(response));
}

caf::actor simulation::ask_dispatcher() {
  run_until([&] { return static_cast<bool>(roster().get("dispatcher")); });
  return roster().get("dispatcher");
}

std::shared_ptr<start_slot> simulation::start(const std::string& workflow, const nlohmann::json& inputs,
                                              const std::string& id, std::optional<std::chrono::milliseconds> limit) {
  auto slot = std::make_shared<start_slot>();
  instance_record record;
  if (limit) record.deadline = wall() + *limit;
  record.instance_id = id;
  record.workflow = workflow;
  record.input = inputs.dump();
  tell(ask_dispatcher(), start_request{slot, std::move(record)});
  return slot;
}

std::shared_ptr<cancel_slot> simulation::cancel(const std::string& id, const std::string& reason) {
  auto slot = std::make_shared<cancel_slot>();
  tell(ask_dispatcher(), cancel_instance_request{slot, {id, reason}});
  return slot;
}

std::shared_ptr<fork_slot> simulation::fork(const std::string& id, const std::string& from_step,
                                            const std::string& new_id) {
  auto slot = std::make_shared<fork_slot>();
  tell(ask_dispatcher(), fork_instance_request{slot, {id, from_step, new_id}});
  return slot;
}

std::shared_ptr<receive_slot> simulation::receive(const std::string& type, const nlohmann::json& data,
                                                  const std::string& to, const std::string& id) {
  auto slot = std::make_shared<receive_slot>();
  received_event event;
  event.id = id.empty() ? "event-" + std::to_string(++events_) : id;
  event.source = "outside";
  event.type = type;
  event.data = data;
  if (!to.empty()) event.attributes["romancyinstanceid"] = to;
  tell(ask_dispatcher(), receive_request{slot, {take_in(event, env_->definitions, env_->options.max_payload_bytes)}});
  return slot;
}

bool simulation::step() { return !dead && scheduler_->try_run_once(); }

bool simulation::has_message() const { return scheduler_->has_job(); }

std::pair<const char*, std::string> simulation::next_message() const {
  auto* actor = dynamic_cast<caf::scheduled_actor*>(scheduler_->jobs.front());
  if (!actor) return {"", ""};
  const auto* message = actor->mailbox().peek();
  if (!message || message->content().empty()) return {actor->name(), "(its beginning)"};
  const auto& content = message->content();
  const auto* type = content.type(0).second;
  auto what = type ? short_name(*type) : caf::to_string(content);
  std::erase_if(what, [](char c) { return c == '(' || c == ')' || c == '\''; });
  return {actor->name(), what};
}

std::chrono::nanoseconds simulation::exact_time() const {
  return scheduler_->clock().current_time.time_since_epoch() - clock_zero;
}

std::optional<std::chrono::nanoseconds> simulation::next_timer() const {
  const auto& timers = scheduler_->clock().schedule();
  if (timers.empty()) return std::nullopt;
  return timers.begin()->first.time_since_epoch() - clock_zero;
}

void simulation::jump_to(std::chrono::nanoseconds time) {
  scheduler_->clock().advance_time(std::max(time - exact_time(), std::chrono::nanoseconds{0}));
}

void simulation::settle() {
  while (step()) {
  }
}

void simulation::pass(std::chrono::milliseconds time) { scheduler_->clock().current_time += time; }

void simulation::advance(std::chrono::milliseconds time) {
  settle();
  for (auto left = time; left.count() > 0; left -= std::chrono::milliseconds{1}) {
    scheduler_->clock().advance_time(std::chrono::milliseconds{1});
    settle();
  }
}

bool simulation::run_until(const std::function<bool()>& done, int steps) {
  for (int i = 0; i < steps; ++i) {
    if (done()) return true;
    if (!step() && (dead || !scheduler_->clock().trigger_timeout())) return done();
  }
  return done();
}

bool simulation::settles(const std::function<bool()>& done, int times) {
  for (int i = 0; i < times && !dead; ++i) {
    settle();
    if (dead) break;
    if (done()) return true;
    if (!scheduler_->clock().trigger_timeout()) return false;
  }
  return false;
}

std::chrono::milliseconds simulation::now() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(scheduler_->clock().current_time.time_since_epoch() -
                                                               clock_zero);
}

time_point simulation::wall() const { return env_->clock->now(); }

void simulation::crash() {
  scheduler_->clock().cancel_all();
  std::vector<caf::actor> roots;
  for (const auto* name : {"supervisor", "callback_runner", "timekeeper", "transaction_coordinator", "worker_lease",
                           "session_pool", "executor_pool", "dispatcher", "janitor", "http_publisher", "outbox_relayer"})
    if (auto actor = std::string_view{name} == "supervisor" ? core_->supervisor() : roster().get(name))
      roots.push_back(actor);
  roots.push_back(std::exchange(broker_clock_, nullptr));
  for (const auto& root : roots) end(dynamic_cast<caf::local_actor*>(caf::actor_cast<caf::abstract_actor*>(root)));
  roots.clear();
  core_->forget();
  core_.reset();
  for (int i = 0; i < 10'000 && !scheduler_->jobs.empty(); ++i) {
    std::deque<caf::resumable*> dropped;
    dropped.swap(scheduler_->jobs);
    for (auto* job : dropped) {
      // An actor that nobody else knows (an instance, an executor) goes here, with all that was sent to it.
      end(dynamic_cast<caf::local_actor*>(job));
      caf::intrusive_ptr_release(job);
    }
  }
  scheduler_->clock().cancel_all();
  system_->await_actors_before_shutdown(false);
  system_.reset();
}

void simulation::kill(const std::string& actor) { caf::anon_send_exit(roster().get(actor), caf::exit_reason::kill); }

bool simulation::has_ended() const {
  return caf::actor_cast<caf::abstract_actor*>(core_->supervisor())->getf(caf::abstract_actor::is_cleaned_up_flag);
}

long long simulation::count(const std::string& sql) {
  long long value = 0;
  db_->session() << sql, soci::into(value);
  return value;
}

std::string simulation::text(const std::string& sql) {
  std::string value;
  soci::indicator is = soci::i_null;
  db_->session() << sql, soci::into(value, is);
  return is == soci::i_ok ? value : "";
}

void simulation::insert_event(const std::string& id, std::chrono::milliseconds age) {
  event_record event;
  event.id = id;
  event.type = "order.created";
  event.source = "test";
  event.data = R"({"order_id":")" + id + "\"}";
  event.created_at = wall() - age;
  db_->begin();
  outbox_table{*db_}.insert(event);
  db_->commit();
}

std::string simulation::event_state(const std::string& id) {
  const auto of_it = " FROM outbox_events WHERE event_id = '" + id + '\'';
  return text("SELECT status" + of_it) + ' ' + std::to_string(count("SELECT retry_count" + of_it));
}

instance_record simulation::instance(const std::string& id) {
  return instance_table{*db_}.find(id).value_or(instance_record{});
}

std::vector<std::string> simulation::history(const std::string& id) {
  std::vector<std::string> lines;
  for (const auto& record : history_table{*db_}.load(id)) lines.push_back(record.activity_id + ' ' + record.event_type);
  return lines;
}

std::vector<std::string> simulation::event_types() {
  std::vector<std::string> types;
  std::string type;
  soci::statement select =
      (db_->session().prepare << "SELECT event_type FROM outbox_events ORDER BY sequence", soci::into(type));
  for (bool more = select.execute(true); more; more = select.fetch()) types.push_back(type);
  return types;
}

} // namespace romancy::testing
