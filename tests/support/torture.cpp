#include "tests/support/torture.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>
#include <thread>

#include "tests/support/programs.hpp"

namespace romancy::testing {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto longest_round = std::chrono::minutes{2};
constexpr std::uintmax_t longest_log = 4 * 1024 * 1024;

bool is_server(const std::string& url) { return database_url::parse(url).kind != database_url::backend::sqlite3; }

} // namespace

torture::torture(torture_options options, std::ostream& journal)
    : options_{std::move(options)}, journal_{journal}, random_{options_.seed}, outside_{options_.database},
      broker_{std::make_unique<cli::event_sink>(
          cli::event_sink_options{.script = cli::answer_script::random("202:6,503:2,close:2", options_.seed),
                                  .on_event = [this](const cloud_event& event) {
                                    const std::lock_guard lock{mutex_};
                                    audit_.receive(event);
                                    arrived_.notify_all();
                                  }})} {
  for (int i = 1; i <= options_.workers; ++i) members_.push_back({"worker-" + std::to_string(i), true});
  for (int i = 1; i <= options_.relays; ++i) members_.push_back({"relay-" + std::to_string(i), false});
  begin_round();
  for (auto& one : members_)
    if (!one.worker) start(one);
}

torture::~torture() { members_.clear(); }

void torture::start(member& one) {
  std::vector<std::string> arguments = one.worker ? std::vector<std::string>{ecommerce_program,
                                                                             "--orders",
                                                                             std::to_string(round().count),
                                                                             "--prefix",
                                                                             round().prefix,
                                                                             "--concurrency",
                                                                             "4"}
                                                  : std::vector<std::string>{romancy_program, "relay"};
  const auto broker = "http://127.0.0.1:" + std::to_string(broker_->port()) + "/events";
  for (const auto& argument :
       {std::string{"--database"}, options_.database, std::string{"--broker-url"}, broker, std::string{"--worker-id"},
        one.name, std::string{"--lease"}, std::to_string(lease.count()) + "ms", std::string{"--poll-interval"},
        std::string{"50ms"}, std::string{"--max-retries"}, std::string{"1000000"}})
    arguments.push_back(argument);
  const auto log = options_.directory + '/' + one.name + ".log";
  std::error_code ignored;
  if (std::filesystem::file_size(log, ignored) > longest_log && !ignored) std::filesystem::resize_file(log, 0);
  one.goes_on_at.reset();
  one.process.emplace(std::move(arguments), log);
}

void torture::begin_round() {
  rounds_.push_back({"R" + std::to_string(rounds_.size() + 1), options_.orders});
  for (auto& one : members_)
    if (one.worker) start(one);
}

std::size_t torture::received() {
  const std::lock_guard lock{mutex_};
  return audit_.received();
}

void torture::check(const std::function<std::vector<std::string>(const order_audit&)>& audit) {
  std::vector<std::string> found;
  for (int attempt = 0;; ++attempt) try {
      const std::lock_guard lock{mutex_};
      found = audit(audit_);
      break;
    } catch (const std::exception&) { // a connection that was ended
      if (attempt == 3) throw;
    }
  for (auto& fault : found) faults_.push_back(std::move(fault));
}

/// Lets stopped processes go on when it is time, and begins the next round when all workers have ended theirs.
void torture::tend() {
  bool all_done = true;
  for (auto& one : members_)
    if (look_after(one) && one.worker) all_done = false;
  if (!all_done || rounds_end_) return;
  check([&](const order_audit& audit) { return audit.faults(outside_, round()); });
  journal_ << "round " << round().prefix << " is complete: " << summary() << std::endl;
  begin_round();
}

/// True while it runs.
bool torture::look_after(member& one) {
  if (!one.process) return false;
  if (one.goes_on_at && steady::now() >= *one.goes_on_at) {
    one.process->signal(SIGCONT);
    one.goes_on_at.reset();
  }
  const auto code = one.process->wait_for(0ms);
  if (!code) return true;
  if (one.worker && *code == 0) {
    one.process.reset();
    return false;
  }
  faults_.push_back(one.name + " ended with code " + std::to_string(*code));
  start(one);
  return true;
}

void torture::work_for(std::size_t events, std::chrono::milliseconds at_most) {
  const auto end = steady::now() + at_most;
  const auto target = received() + events;
  while (steady::now() < end && faults_.empty()) {
    tend();
    std::unique_lock lock{mutex_};
    if (arrived_.wait_for(lock, 5ms, [&] { return audit_.received() >= target; })) return;
  }
}

torture::member* torture::any(bool worker) {
  std::vector<member*> running;
  for (auto& one : members_)
    if (one.worker == worker && one.process && one.process->running()) running.push_back(&one);
  return running.empty() ? nullptr : running[random_() % running.size()];
}

void torture::kill(bool worker) {
  auto* one = any(worker);
  if (!one) return;
  one->process->signal(SIGKILL);
  one->process->wait();
  start(*one);
  ++kills_;
}

void torture::stop() {
  auto* one = any(random_() % 3 != 0);
  if (!one || one->goes_on_at) return;
  one->process->signal(SIGSTOP);
  one->goes_on_at = steady::now() + lease * 5 / 4 + std::chrono::milliseconds{random_() % 1000};
  ++stops_;
}

void torture::suffer(blow what) {
  work_for(1 + random_() % 60, 2s);
  switch (what) {
    case blow::kill_worker: return kill(true);
    case blow::kill_relay: return kill(false);
    case blow::stop_process: return stop();
    case blow::end_connections:
      if (is_server(options_.database)) try {
          ended_connections_ += outside_.end_connections(1 + static_cast<int>(random_() % 3));
        } catch (const std::exception&) { // our own was lost in a crash
        }
      return;
    case blow::restart_server:
      if (!options_.restart_server) return;
      options_.restart_server();
      ++server_restarts_;
      return;
  }
}

torture::blow torture::random_blow() {
  const auto drawn = random_() % 20;
  if (drawn < 10) return blow::kill_worker;
  if (drawn < 14) return blow::kill_relay;
  if (drawn < 16) return blow::stop_process;
  return drawn < 19 ? blow::end_connections : blow::restart_server;
}

void torture::finish() {
  rounds_end_ = true;
  const auto end = steady::now() + longest_round;
  const auto busy = [&] {
    return std::any_of(members_.begin(), members_.end(), [](const auto& one) { return one.worker && one.process; });
  };
  while (busy() && steady::now() < end && faults_.empty()) {
    tend();
    std::this_thread::sleep_for(2ms);
  }
  for (auto& one : members_) {
    if (one.process && one.worker && faults_.empty()) faults_.push_back(one.name + " does not come to its end");
    if (!one.process || one.worker) continue;
    one.process->signal(SIGCONT);
    one.process->signal(SIGTERM);
    if (const auto code = one.process->wait_for(30s); code != 0)
      faults_.push_back(one.name + (code ? " ended with code " + std::to_string(*code) : " does not stop"));
    one.process.reset();
  }
  if (busy()) return;
  check([&](const order_audit& audit) { return audit.faults(outside_, rounds_); });
}

std::string torture::last_words() const {
  std::string all;
  for (const auto& one : members_) {
    std::ifstream log{options_.directory + '/' + one.name + ".log"};
    std::vector<std::string> lines;
    for (std::string line; std::getline(log, line);) lines.push_back(line);
    all += "-- " + one.name + '\n';
    for (std::size_t i = lines.size() - std::min<std::size_t>(lines.size(), 30); i < lines.size(); ++i)
      all += lines[i] + '\n';
  }
  return all;
}

std::string torture::summary() const {
  std::ostringstream text;
  text << rounds_.size() << " rounds of " << options_.orders << " orders, " << audit_.received()
       << " requests at the broker (" << audit_.accepted_again() << " accepted again), " << kills_ << " kills, " << stops_
       << " stops, " << ended_connections_ << " connections ended, " << server_restarts_ << " restarts of the server";
  return text.str();
}

} // namespace romancy::testing
