#include "testing/scenario_world.hpp"

#include <algorithm>
#include <cstdio>

#include <soci/sqlite3/soci-sqlite3.h>
#include <spdlog/sinks/base_sink.h>

#include "actors/attempt_watcher.hpp"
#include "actors/cloud_event_decoder.hpp"
#include "actors/event_check.hpp"
#include "actors/event_intake.hpp"
#include "actors/guard.hpp"
#include "actors/message_types.hpp"
#include "runtime/start_check.hpp"
#include "runtime/storage_backend.hpp"
#include "storage/instance_query.hpp"
#include "storage/migrations.hpp"
#include "storage/outbox_reader.hpp"
#include "storage/timestamp.hpp"
#include "storage/wake_time.hpp"

namespace romancy::testing {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// In which nothing fires but those who look whether there is something to do.
constexpr auto worth_a_jump = std::chrono::seconds{15};

std::string seconds_of(nanoseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%10.3f s", static_cast<double>(time.count()) / 1e9);
  return text;
}

/// "charge_card" of "charge_card:1"
std::string name_of(const std::string& step) { return step.substr(0, step.rfind(':')); }

std::string step_of(const execute_attempt& job) {
  return (job.kind == attempt_kind::compensation ? "@compensate:" : "") + job.activity_id;
}

/// A statement of a transaction: the others cannot, but they come to nothing without COMMIT.
bool may_fail(std::string_view sql) {
  for (const std::string_view ours : {"BEGIN", "COMMIT", "SAVEPOINT romancy_", "RELEASE romancy_"})
    if (sql.starts_with(ours)) return true;
  return false;
}

[[noreturn]] void fail_statement(const std::string& why) { throw soci::sqlite3_soci_error{why, SQLITE_IOERR}; }

delivery delivery_of(const http_request& request, milliseconds at) {
  http_headers headers;
  for (const auto& line : request.headers) {
    const auto colon = line.find(':');
    auto name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    headers[name] = line.substr(std::min(line.size(), colon + 2));
  }
  const auto event = decode_cloud_event(headers, request.body);
  return {at, event.id, event.type, event.source, event.data, event.attributes};
}

} // namespace

/// Where the apps of the scenario write their log.
class scenario_world::log_sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
  explicit log_sink(scenario_world& world) : world_{world} {}

private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const auto level = spdlog::level::to_string_view(message.level);
    auto line =
        std::string{level.data(), level.size()} + "  " + std::string{message.payload.data(), message.payload.size()};
    const auto folder = world_.directory_.file(""); // another one in each run
    for (auto at = line.find(folder); at != std::string::npos; at = line.find(folder)) line.erase(at, folder.size());
    if (message.level >= spdlog::level::warn) world_.say("log: " + line);
    world_.log_lines.push_back(seconds_of(world_.time_) + "  " + std::move(line));
  }
  void flush_() override {}
  scenario_world& world_;
};

class scenario_world::watcher final : public attempt_watcher {
public:
  watcher(scenario_world& world, int index) : world_{world}, index_{index} {}

  void begins(const execute_attempt& job) override {
    auto& one = world_.at(index_);
    const auto step = step_of(job);
    const auto name = name_of(step);
    if (world_.reaches(one, crash_point::kind::before_attempt, name)) {
      one.dying = true;
      throw std::runtime_error{"the process is dead"};
    }
    one.attempt = world_.attempts.size();
    world_.attempts.push_back({world_.now(), job.instance_id, step, job.number});
    const auto found = world_.scripts_.find({name, job.number});
    if (found == world_.scripts_.end()) return;
    if (found->second.stall.count() > 0) one.app->pass(found->second.stall);
    if (!found->second.why.empty()) throw std::runtime_error{found->second.why};
  }
  void ended(const execute_attempt& job, const std::string& error) override {
    auto& one = world_.at(index_);
    if (one.dying) return;
    auto& attempt = world_.attempts[one.attempt];
    if (!error.empty()) attempt.error = error;
    world_.say(job.instance_id + "  " + attempt.step + " in attempt " + std::to_string(attempt.number) +
               (error.empty() ? "" : " failed: " + error));
  }

private:
  scenario_world& world_;
  int index_;
};

scenario_world::scenario_world(scenario_options options, detail::definition_table definitions,
                               detail::dependency_set dependencies)
    : options_{std::move(options)}, definitions_{definitions}, dependencies_{std::move(dependencies)} {
  if (options_.nodes < 1) throw startup_error{"nodes is " + std::to_string(options_.nodes) + ": set it to at least 1"};
  file_ = options_.app.database.empty() ? directory_.file("scenario.db") : options_.app.database;
  const auto url = database_url::parse(file_);
  if (!url.is_file())
    throw startup_error{"a scenario works on a SQLite file, not on '" + url.shown + "': leave app.database empty"};
  auto& outbox = options_.app.outbox;
  outbox.enabled = false; // the world adds the relayer
  if (outbox.broker_url.empty()) outbox.broker_url = "http://broker.test/";
  options_.app.actor_system = nullptr;
  check(options_.app);
  if (options_.relays) check(outbox);
  for (const auto& workflow : definitions_.workflows) {
    served_ += (served_.empty() ? "'" : ", '") + std::string{workflow.name} + '\'';
    for (const auto former : workflow.former) served_ += ", '" + std::string{former} + '\'';
  }
  sink_ = std::make_shared<log_sink>(*this);
  sinks_before_ = std::exchange(romancy::log().sinks(), {sink_});

  db_ = database::open(url, {.durable = false}, std::chrono::seconds{1});
  static_cast<void>(migrations::apply(*db_));
  if (options_.tables) options_.tables(db_->session());
  nodes_.resize(static_cast<std::size_t>(options_.nodes));
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].index = static_cast<int>(i);
    start_app(nodes_[i]);
  }
}

scenario_world::~scenario_world() {
  for (auto& one : nodes_) {
    one.dying = true;
    one.app.reset();
  }
  romancy::log().sinks() = std::move(sinks_before_);
}

scenario_world::app_node& scenario_world::at(int index) {
  if (index < 0 || static_cast<std::size_t>(index) >= nodes_.size())
    throw std::out_of_range{"there is no node " + std::to_string(index) + ": the scenario has " +
                            std::to_string(nodes_.size()) + ", counted from 0"};
  return nodes_[static_cast<std::size_t>(index)];
}
const scenario_world::app_node& scenario_world::at(int index) const {
  return const_cast<scenario_world&>(*this).at(index);
}

scenario_world::app_node& scenario_world::living() {
  for (auto& one : nodes_)
    if (one.app && !one.cut) return one;
  for (auto& one : nodes_)
    if (one.app) return one;
  throw romancy::error{"all apps of the scenario are dead: restart one"};
}

void scenario_world::start_app(app_node& one) {
  ++one.lives;
  one.dying = one.doomed = false;
  auto options = options_.app;
  if (options.worker_id.empty()) options.worker_id = "node " + std::to_string(one.index);
  one.app = std::make_unique<simulation>(
      file_, std::move(options), definitions_, dependencies_,
      simulation_start{time_, options_.begins_at, static_cast<std::uint64_t>(one.index * 100'000 + one.lives),
                       std::make_shared<watcher>(*this, one.index)});
  const auto index = one.index;
  one.app->on_statement = [this, index](database&, std::string_view sql) { before_statement(at(index), sql); };
  one.app->on_open = [this, index] {
    const auto& me = at(index);
    if (me.dying) throw startup_error{"the process is dead"};
    if (me.cut || database_away_) throw startup_error{"the database cannot be reached"};
  };
  one.app->broker = [this, index](int, const http_request& request) { return answer(at(index), request); };
  if (options_.relays) one.app->start_relayer(options_.app.outbox);
}

// -- faults -----------------------------------------------------------------------------------------------------------

void scenario_world::kill(app_node& one, const std::string& why) {
  if (!one.app) return;
  one.dying = true;
  one.app.reset();
  one.point.reset();
  say("node " + std::to_string(one.index) + " is killed" + (why.empty() ? "" : ": " + why));
}

void scenario_world::crash(int node) { kill(at(node), ""); }

void scenario_world::crash_at(crash_point where, int node) {
  if (where.count < 1) throw std::invalid_argument{"a crash point is counted from 1"};
  at(node).point = std::move(where);
}

void scenario_world::restart(int node) {
  auto& one = at(node);
  kill(one, "");
  start_app(one);
  say("node " + std::to_string(one.index) + " is started");
}

void scenario_world::fail_attempt(const std::string& activity, int number, const std::string& why) {
  scripts_[{activity, number}].why = why.empty() ? "it was told to fail" : why;
}
void scenario_world::stall_attempt(const std::string& activity, int number, milliseconds time) {
  scripts_[{activity, number}].stall = time;
}
void scenario_world::set_database_away(bool away) {
  if (std::exchange(database_away_, away) != away) say(away ? "the database is stopped" : "the database is started");
}
void scenario_world::set_cut(int node, bool cut) {
  auto& one = at(node);
  if (std::exchange(one.cut, cut) != cut) say("node " + std::to_string(node) + (cut ? " is cut off" : " is healed"));
}

/// Counts down to the point at which the node dies.
bool scenario_world::reaches(app_node& one, crash_point::kind where, std::string_view what) {
  if (one.dying || !one.point || one.point->where != where) return false;
  const auto& wanted = one.point->what;
  const bool fits = where == crash_point::kind::statement ? what.starts_with(wanted) : wanted.empty() || what == wanted;
  return fits && --one.point->count == 0;
}

void scenario_world::before_statement(app_node& one, std::string_view sql) {
  if (sql.starts_with("ROLLBACK")) return; // what a connection does that is lost
  if (one.doomed) one.dying = true;
  const bool commits = sql == "COMMIT";
  if (reaches(one, crash_point::kind::statement, sql) || (commits && reaches(one, crash_point::kind::before_commit, "")))
    one.dying = true;
  if (may_fail(sql)) {
    if (one.dying) fail_statement("the process is dead");
    if (one.cut || database_away_) fail_statement("the database cannot be reached");
  }
  if (commits && reaches(one, crash_point::kind::after_commit, "")) one.doomed = true;
}

broker_answer scenario_world::answer(app_node& one, const http_request& request) {
  if (one.dying) return broker_answer::held();
  if (one.cut) return {http_response{0, "the broker cannot be reached"}, milliseconds{0}};
  auto event = delivery_of(request, now());
  if (reaches(one, crash_point::kind::before_delivery, event.event_type)) {
    one.dying = true;
    return broker_answer::held();
  }
  const auto type = event.event_type, id = event.event_id;
  const auto reply = broker.receive(std::move(event));
  say("broker  " + type + ' ' + id + "  " + (reply.status ? std::to_string(*reply.status) : reply.error));
  if (reaches(one, crash_point::kind::after_delivery, type)) {
    one.dying = true;
    return broker_answer::held();
  }
  const auto after = std::min(reply.after, request.timeout);
  if (!reply.status || after < reply.after)
    return {http_response{0, reply.status ? "no answer in time" : reply.error}, after};
  return {http_response{*reply.status, ""}, after};
}

// -- time -------------------------------------------------------------------------------------------------------------

/// One message of an app, in turn. False if there is none.
bool scenario_world::step() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    auto& one = nodes_[(turn_ + i) % nodes_.size()];
    if (!one.app || !one.app->has_message()) continue;
    turn_ = (turn_ + i + 1) % nodes_.size();
    run_message(one);
    return true;
  }
  return false;
}

void scenario_world::run_message(app_node& one) {
  if (static_cast<long long>(messages_.size()) >= options_.max_messages)
    stuck("more than " + std::to_string(options_.max_messages) + " messages");
  auto [to, what] = one.app->next_message();
  if (reaches(one, crash_point::kind::message, "")) return kill(one, std::string{"instead of "} + what + " to " + to);
  messages_.push_back({time_, one.index, to, std::move(what)});
  one.app->step();
  if (one.app->exact_time() > time_) jump_to(one.app->exact_time()); // its user code took time
  if (one.dying || one.doomed) kill(one, "");
}

void scenario_world::jump_to(nanoseconds time) {
  time_ = std::max(time_, time);
  if (time_ > options_.patience) stuck("more than " + std::to_string(options_.patience.count()) + " h of virtual time");
  for (auto& one : nodes_)
    if (one.app) one.app->jump_to(time_);
}

/// What happens next, by itself and until `limit`. False if nothing does.
bool scenario_world::go_on(std::optional<nanoseconds> limit) {
  if (step()) return true;
  std::optional<nanoseconds> next;
  for (auto& one : nodes_)
    if (one.app)
      if (const auto timer = one.app->next_timer()) next = next ? std::min(*next, *timer) : *timer;
  if (!next) return false;
  if (is_at_rest()) { // until something is due, all that fires looks in vain
    const auto due = next_work();
    if (!due) return false;
    if (*due - time_ > worth_a_jump) next = due;
  }
  if (limit && *next > *limit) return false;
  jump_to(*next);
  return true;
}

/// Nobody is at work, and nobody is about to take over what a dead app has left.
bool scenario_world::is_at_rest() {
  long long alive = 0;
  if (database_away_) return false;
  for (auto& one : nodes_)
    if (one.app) {
      if (one.cut || one.app->outstanding() > 0) return false;
      ++alive;
    }
  return count("SELECT count(*) FROM worker_epochs") == alive &&
         count(
             "SELECT count(*) FROM workflow_instances WHERE status IN ('running', 'compensating') AND "
             "owner_epoch IS NOT NULL") == 0 &&
         count("SELECT count(*) FROM outbox_events WHERE status = 'pending' AND locked_by IS NOT NULL") == 0;
}

/// When there is something to do.
std::optional<nanoseconds> scenario_world::next_work() {
  auto next = served_.empty() ? std::nullopt
                              : time_of(
                                    "SELECT min(wake_at) FROM workflow_instances WHERE status IN ('running', "
                                    "'compensating') AND workflow_name IN (" +
                                    served_ + ") AND wake_at < '" + wake_time::never + '\'');
  if (options_.relays)
    if (const auto event = time_of("SELECT min(next_attempt_at) FROM outbox_events WHERE status = 'pending'"))
      next = next ? std::min(*next, *event) : *event;
  return next;
}

std::optional<nanoseconds> scenario_world::time_of(const std::string& sql) {
  std::string text;
  soci::indicator is = soci::i_null;
  db_->session() << sql, soci::into(text, is);
  if (is == soci::i_null) return std::nullopt;
  return nanoseconds{to_time_point(text) - options_.begins_at};
}

long long scenario_world::count(const std::string& sql) {
  long long value = 0;
  db_->session() << sql, soci::into(value);
  return value;
}

void scenario_world::run_until_idle() {
  while (go_on({})) {
  }
}

void scenario_world::run_until(const std::function<bool()>& done) {
  while (!done())
    if (!go_on({})) stuck("a condition that does not hold, and nothing happens any more");
}

void scenario_world::advance(nanoseconds time) {
  const auto end = time_ + time;
  while (go_on(end)) {
  }
  if (end <= time_) return;
  jump_to(end);
  while (step()) {
  }
}

void scenario_world::stuck(const std::string& waits_for) {
  std::string text = "the scenario is stuck after " + seconds_of(time_) + ": it waited for " + waits_for;
  for (const auto& one : nodes_)
    if (!one.app) text += "\n  node " + std::to_string(one.index) + " is dead";
  if (database_away_) text += "\n  the database is stopped";
  for (const auto& line :
       rows("SELECT instance_id || ' of ' || workflow_name || ' is ' || status FROM workflow_instances "
            "WHERE status IN ('running', 'compensating', 'parked') ORDER BY started_at LIMIT 10"))
    text += "\n  instance " + line;
  for (const auto& line : rows("SELECT instance_id || ' waits for ' || activity_id || CASE WHEN channel = '' THEN '' "
                               "ELSE ' on ' || channel END "
                               "FROM workflow_waits ORDER BY instance_id LIMIT 10"))
    text += "\n  instance " + line;
  for (const auto& line :
       rows("SELECT event_type || ' ' || event_id || ' is pending: ' || COALESCE(last_error, 'not sent') "
            "FROM outbox_events WHERE status = 'pending' ORDER BY sequence LIMIT 10"))
    text += "\n  event " + line;
  throw scenario_stuck{text};
}

void scenario_world::say(const std::string& line) { timeline_.push_back(seconds_of(time_) + "  " + line); }

// -- what handles ask for ---------------------------------------------------------------------------------------------

template <class Answer, class Request>
std::optional<Answer> scenario_world::ask(const std::shared_ptr<answer_slot<Answer>>& slot, const Request& request) {
  const auto end = time_ + options_.app.database_timeout;
  auto& one = living();
  const auto life = one.lives;
  const auto* asked = one.app.get();
  caf::actor dispatcher;
  while (one.app.get() == asked && one.lives == life) {
    if (auto now = one.app->roster().get("dispatcher"); now && now != dispatcher) {
      dispatcher = now;
      tell(dispatcher, request);
    }
    if (auto answer = slot->wait_for(milliseconds{0})) return answer;
    if (step()) continue;
    dispatcher = nullptr; // none while it is ended and started again
    std::optional<nanoseconds> next;
    for (auto& other : nodes_)
      if (other.app)
        if (const auto timer = other.app->next_timer()) next = next ? std::min(*next, *timer) : *timer;
    dispatcher = one.app->roster().get("dispatcher");
    if (!next || *next > end) return {};
    jump_to(*next);
  }
  return {};
}

std::string scenario_world::start(std::string_view workflow, nlohmann::json inputs,
                                  std::optional<romancy::instance_id> id,
                                  std::optional<std::chrono::microseconds> time_limit) {
  const auto instance = checked_start(living().app->env(), workflow, inputs, std::move(id), time_limit);
  const auto slot = std::make_shared<start_slot>();
  const auto answer = ask<instance_started>(slot, start_request{slot, instance});
  if (!answer)
    throw start_unconfirmed{instance.instance_id, "instance " + instance.instance_id +
                                                      ": there was no answer: it may have been started; start it again "
                                                      "with the same id"};
  if (!answer->created) check_same_start(definitions_, answer->instance, instance);
  if (answer->created) say(instance.instance_id + "  is started: " + instance.workflow);
  return instance.instance_id;
}

nlohmann::json scenario_world::result(const std::string& id, std::optional<milliseconds> timeout) {
  const auto end = timeout ? std::optional{time_ + *timeout} : std::nullopt;
  for (;;) {
    if (const auto stored = find(id); is_settled(stored.status)) return output_of(stored);
    if (go_on(end)) continue;
    if (!end) stuck("the end of instance " + id + ", and nothing happens any more");
    if (time_ < *end) jump_to(*end);
    throw romancy::error{"instance " + id + " has not ended within " + std::to_string(timeout->count()) +
                         " ms; it goes on"};
  }
}

instance_record scenario_world::find(const std::string& id) {
  auto found = instance_table{*db_}.find(id);
  if (!found) throw romancy::error{"there is no instance " + id};
  return std::move(*found);
}

void scenario_world::expect(const std::string& id, std::string_view workflow) {
  if (const auto found = find(id); !is_same_workflow(definitions_, found.workflow, workflow))
    throw romancy::error{"instance " + id + " is of workflow '" + found.workflow + "', not of '" + std::string{workflow} +
                         '\''};
}

bool scenario_world::cancel(const std::string& id, const std::string& reason, const std::string& author) {
  const auto request = checked_cancel(id, reason, author);
  static_cast<void>(find(id));
  const auto slot = std::make_shared<cancel_slot>();
  const auto answer = ask<instance_cancelled>(slot, cancel_instance_request{slot, request});
  if (!answer)
    throw storage_error{"instance " + id + ": there was no answer: it may be cancelled; cancel it again", true};
  say(id + (answer->accepted ? "  is to be cancelled: " : "  cannot be cancelled any more: ") + reason);
  return answer->accepted;
}

std::string scenario_world::fork(const std::string& id, const std::string& from_step,
                                 const std::optional<romancy::instance_id>& new_id) {
  const fork_request request{id, from_step, new_id ? new_id->value : living().app->env().uuid()};
  check_name(request.new_id, "an instance id", 200);
  check_name(from_step, "the step to fork instance " + id + " from");
  const auto slot = std::make_shared<fork_slot>();
  const auto answer = ask<instance_forked>(slot, fork_instance_request{slot, request});
  if (!answer)
    throw storage_error{"instance " + id + ": there was no answer: it may be forked as " + request.new_id, true};
  if (!answer->refused.empty()) throw romancy::error{answer->refused};
  say(request.new_id + "  is forked from " + id + " at " + from_step);
  return request.new_id;
}

int scenario_world::receive(const std::vector<received_event>& events) {
  if (events.empty()) return 0;
  const auto slot = std::make_shared<receive_slot>();
  receive_request request{slot, {}};
  for (const auto& event : events) request.events.push_back(take_in(event, definitions_, options_.app.max_payload_bytes));
  const auto answer = ask<events_received>(slot, request);
  const auto name = "event '" + events.front().id + '\'';
  if (!answer) throw storage_error{name + ": there was no answer: it may have been taken in; send it again", true};
  if (!answer->refused.empty()) throw payload_error{name + " cannot be taken in: " + answer->refused};
  for (const auto& event : events) say("received  " + event.type + ' ' + event.id);
  return static_cast<int>(events.size()) - answer->duplicates;
}

std::optional<nlohmann::json> scenario_world::describe(const std::string&) { return std::nullopt; }

std::uint16_t scenario_world::listen(http_options) {
  throw startup_error{"a scenario has no sockets: give it events by receive()"};
}

romancy::storage scenario_world::storage() {
  return romancy::storage{
      std::make_shared<detail::storage_backend>(database_url::parse(file_), std::chrono::seconds{1}, nullptr)};
}

romancy::health scenario_world::health() const {
  for (const auto& one : nodes_)
    if (one.app) return one.app->health().read();
  return {};
}

// -- looking ----------------------------------------------------------------------------------------------------------

std::vector<std::string> scenario_world::history(const std::string& id) {
  std::vector<std::string> lines;
  for (const auto& record : history_table{*db_}.load(id)) lines.push_back(record.activity_id + ' ' + record.event_type);
  return lines;
}

std::vector<std::string> scenario_world::outbox() {
  return rows("SELECT event_type || ' ' || status FROM outbox_events ORDER BY sequence");
}

void scenario_world::execute(const std::string& sql) { db_->session() << sql; }

std::vector<std::string> scenario_world::rows(const std::string& sql) {
  // SQLite tells the type of a value only with the value; as text it gives any of them.
  auto* connection = static_cast<soci::sqlite3_session_backend*>(db_->session().get_backend())->conn_;
  sqlite_api::sqlite3_stmt* prepared = nullptr;
  if (sqlite_api::sqlite3_prepare_v2(connection, sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK)
    throw storage_error{"cannot run '" + sql + "': " + sqlite_api::sqlite3_errmsg(connection), false};
  const std::unique_ptr<sqlite_api::sqlite3_stmt, int (*)(sqlite_api::sqlite3_stmt*)> statement{
      prepared, &sqlite_api::sqlite3_finalize};
  std::vector<std::string> found;
  int result = SQLITE_ROW;
  while ((result = sqlite_api::sqlite3_step(prepared)) == SQLITE_ROW) {
    std::string row;
    for (int i = 0; i < sqlite_api::sqlite3_column_count(prepared); ++i) {
      const auto* text = sqlite_api::sqlite3_column_text(prepared, i);
      row += (i == 0 ? "" : " ") + std::string{text ? reinterpret_cast<const char*>(text) : "-"};
    }
    found.push_back(std::move(row));
  }
  if (result != SQLITE_DONE)
    throw storage_error{"cannot run '" + sql + "': " + sqlite_api::sqlite3_errmsg(connection), false};
  return found;
}

std::vector<std::string> scenario_world::messages() const {
  std::vector<std::string> lines;
  for (const auto& [time, node, to, what] : messages_)
    lines.push_back(seconds_of(time) + "  node " + std::to_string(node) + "  " + to + "  " + what);
  return lines;
}

std::string scenario_world::timeline() const {
  std::string text;
  for (const auto& line : timeline_) text += line + '\n';
  return text;
}

} // namespace romancy::testing
