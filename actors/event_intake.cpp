#include "actors/event_intake.hpp"

#include "actors/event_check.hpp"
#include "actors/payload_text.hpp"

namespace romancy {

namespace {

constexpr auto address = "romancyinstanceid";

std::string named(const received_event& event) { return "event '" + event.id + "' of type '" + event.type + '\''; }

/// The id of an instance that the data names.
std::string id_in(const received_event& event, std::string_view member) {
  const auto found = event.data.is_object() ? event.data.find(member) : event.data.end();
  if (found == event.data.end() || !found->is_string())
    throw payload_error{named(event) + ": its data names the instance by the member '" + std::string{member} +
                        "', which is not there or no text"};
  auto id = found->get<std::string>();
  check_name(id, named(event) + ": the id of the instance in '" + std::string{member} + '\'', 200);
  return id;
}

instance_record started(const received_event& event, const detail::workflow_entry& workflow,
                        const detail::event_rule& rule, std::size_t max_bytes) {
  instance_record instance;
  instance.workflow = std::string{workflow.name};
  if (rule.member.empty()) {
    instance.instance_id = instance.workflow + '/' + event.source + '/' + event.id;
    check_name(instance.instance_id, named(event) + ": the id of the instance made from workflow, source and id", 200);
  } else {
    instance.instance_id = id_in(event, rule.member);
  }
  auto inputs = nlohmann::json::array();
  inputs.push_back(event.data);
  try {
    inputs = workflow.reencode(inputs);
  } catch (const std::exception& e) {
    throw payload_error{named(event) + ": its data is no input of the workflow '" + instance.workflow + "': " + e.what()};
  }
  instance.input = payload_text(inputs, "the data of " + named(event), max_bytes);
  return instance;
}

} // namespace

incoming_event take_in(const received_event& event, const detail::definition_table& definitions, std::size_t max_bytes) {
  check_name(event.id, "the id of an event");
  check_name(event.source, named(event) + ": its source");
  check_name(event.type, named(event) + ": its type");
  incoming_event in{event.source, event.id, event.type, payload_text(event, named(event), max_bytes), {}, {}, false};
  if (const auto to = event.attributes.find(address); to != event.attributes.end()) {
    if (!to->is_string()) throw payload_error{named(event) + ": the attribute romancyinstanceid is no text"};
    in.to.push_back(to->get<std::string>());
    check_name(in.to.back(), named(event) + ": the attribute romancyinstanceid", 200);
    return in;
  }
  bool ruled = false;
  for (const auto& workflow : definitions.workflows)
    for (const auto& rule : workflow.rules) {
      if (rule.type != event.type) continue;
      ruled = true;
      if (rule.starts)
        in.starts.push_back(started(event, workflow, rule, max_bytes));
      else
        in.to.push_back(id_in(event, rule.member));
    }
  in.for_all = !ruled;
  return in;
}

} // namespace romancy
