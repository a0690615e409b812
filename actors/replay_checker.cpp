#include "actors/replay_checker.hpp"

#include "actors/undo_refusal.hpp"
#include "actors/workflow_function.hpp"

namespace romancy {

std::string replay_checker::mismatch(stored_run run) const {
  if (!env_->definitions.find_workflow(run.instance.workflow))
    return "this program has no workflow '" + run.instance.workflow +
           "': list it, or give the one that it became .formerly(\"" + run.instance.workflow + "\")";
  if (run.does == instance_status::compensating) return cannot_undo(run, run.instance.error);
  if (run.does == instance_status::running && !run.instance.cancel_reason.empty())
    return cannot_undo(run, "cancelled: " + run.instance.cancel_reason);
  workflow_function function{*env_, run.instance, [](const pending_step&) {}};
  function.rewind(std::move(run.history), std::move(run.waits));
  switch (function.start()) {
    case workflow_function::place::waits:
    case workflow_function::place::as_new: return {};
    case workflow_function::place::stuck: return function.why_stuck();
    case workflow_function::place::ended: break;
  }
  try {
    static_cast<void>(function.output());
    return {};
  } catch (const std::exception& e) { // it fails, as it did or as it would
    return cannot_undo(run, e.what());
  } catch (...) {
    return cannot_undo(run, "it threw something that is no std::exception");
  }
}

std::string replay_checker::cannot_undo(const stored_run& run, const std::string& failure) const {
  for (const auto& undo : run.to_undo) {
    const auto* entry = env_->definitions.find_activity(undo.activity_name);
    if (!entry || !entry->undo) return no_compensation(undo, failure);
    try {
      entry->read_undo(nlohmann::json::parse(undo.arguments));
    } catch (const std::exception& e) {
      return unreadable_compensation(undo.activity_id, e.what(), failure);
    }
  }
  return {};
}

} // namespace romancy
