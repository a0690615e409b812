#include "runtime/start_check.hpp"

#include <algorithm>

#include "actors/event_check.hpp"
#include "actors/payload_text.hpp"

namespace romancy {

namespace {

constexpr std::chrono::microseconds longest_limit = std::chrono::hours{24 * 36'500};

/// As today's types read them: what was stored before a member was added is the same.
bool same_inputs(const detail::definition_table& definitions, const instance_record& stored,
                 const instance_record& given) {
  if (stored.start_input == given.input) return true;
  const auto* workflow = definitions.find_workflow(given.workflow);
  try {
    return workflow->reencode(nlohmann::json::parse(stored.start_input)) ==
           workflow->reencode(nlohmann::json::parse(given.input));
  } catch (const std::exception&) { // today's types cannot read it
    return false;
  }
}

} // namespace

instance_record checked_start(const environment& env, std::string_view workflow, const nlohmann::json& inputs,
                              std::optional<instance_id> id, std::optional<std::chrono::microseconds> time_limit) {
  instance_record instance;
  if (time_limit && time_limit->count() <= 0)
    throw error{"the time limit of an instance is more than 0: give it time, or none"};
  if (time_limit) instance.deadline = env.clock->now() + std::min(*time_limit, longest_limit);
  instance.workflow = std::string{workflow};
  instance.instance_id = id ? std::move(id->value) : env.uuid();
  check_name(instance.instance_id, "an instance id", 200); // ids of events are made from it
  instance.input = payload_text(inputs, "the input of " + instance.workflow, env.options.max_payload_bytes);
  return instance;
}

bool is_same_workflow(const detail::definition_table& definitions, std::string_view one, std::string_view other) {
  const auto* served = definitions.find_workflow(one);
  return one == other || (served && served == definitions.find_workflow(other));
}

void check_same_start(const detail::definition_table& definitions, const instance_record& there,
                      const instance_record& asked) {
  const bool same = is_same_workflow(definitions, there.workflow, asked.workflow);
  if (same && same_inputs(definitions, there, asked)) return;
  throw instance_conflict{"instance " + asked.instance_id + " exists already, of workflow '" + there.workflow +
                          "' with " + (same ? "other inputs" : "its own inputs") +
                          ": choose another id, or start it with the same workflow and inputs"};
}

nlohmann::json output_of(const instance_record& settled) {
  if (settled.status != instance_status::completed)
    throw instance_failed{settled.instance_id, settled.status, settled.error};
  return nlohmann::json::parse(settled.output);
}

} // namespace romancy
