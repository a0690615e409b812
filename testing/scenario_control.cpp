#include <romancy/testing/scenario_control.hpp>

#include "testing/scenario_world.hpp"

namespace romancy::testing {

scenario_control::scenario_control(scenario_options options, detail::definition_table definitions,
                                   detail::dependency_set dependencies)
    : world_{std::make_shared<scenario_world>(std::move(options), definitions, std::move(dependencies))} {}
scenario_control::~scenario_control() = default;

std::shared_ptr<detail::runtime> scenario_control::runtime() const { return world_; }

std::chrono::milliseconds scenario_control::now() const { return world_->now(); }
void scenario_control::run_until_idle() { world_->run_until_idle(); }
void scenario_control::run_until(const std::function<bool()>& done) { world_->run_until(done); }
void scenario_control::advance(std::chrono::milliseconds time) { world_->advance(time); }

broker& scenario_control::broker() { return world_->broker; }
bool scenario_control::receive(const std::string& type, const nlohmann::json& data, const std::string& to,
                               const std::string& id) {
  received_event event;
  event.id = id.empty() ? "event-" + std::to_string(++events_) : id;
  event.source = "scenario";
  event.type = type;
  event.data = data;
  if (!to.empty()) event.attributes["romancyinstanceid"] = to;
  return world_->receive({event}) > 0;
}

void scenario_control::crash(int node) { world_->crash(node); }
void scenario_control::crash_at(crash_point where, int node) { world_->crash_at(std::move(where), node); }
void scenario_control::restart(int node) { world_->restart(node); }
bool scenario_control::is_running(int node) const { return world_->is_running(node); }
void scenario_control::fail_attempt(const std::string& activity, int number, const std::string& why) {
  world_->fail_attempt(activity, number, why);
}
void scenario_control::stall_attempt(const std::string& activity, int number, std::chrono::milliseconds time) {
  world_->stall_attempt(activity, number, time);
}
void scenario_control::stop_database() { world_->set_database_away(true); }
void scenario_control::start_database() { world_->set_database_away(false); }
void scenario_control::cut(int node) { world_->set_cut(node, true); }
void scenario_control::heal(int node) { world_->set_cut(node, false); }

instance_status scenario_control::status(const std::string& instance_id) const { return world_->status(instance_id); }
std::string scenario_control::error(const std::string& instance_id) const { return world_->find(instance_id).error; }
std::vector<std::string> scenario_control::history(const std::string& instance_id) const {
  return world_->history(instance_id);
}
std::vector<std::string> scenario_control::outbox() const { return world_->outbox(); }
void scenario_control::execute(const std::string& sql) { world_->execute(sql); }
std::vector<std::string> scenario_control::rows(const std::string& sql) const { return world_->rows(sql); }
const std::vector<attempt>& scenario_control::attempts() const { return world_->attempts; }
const std::vector<std::string>& scenario_control::log() const { return world_->log_lines; }
std::vector<std::string> scenario_control::messages() const { return world_->messages(); }
std::string scenario_control::timeline() const { return world_->timeline(); }

} // namespace romancy::testing
