#include "storage/run_reader.hpp"

#include "storage/reading.hpp"
#include "storage/storage_failure.hpp"

namespace romancy {

std::optional<stored_run> run_reader::read(const std::string& instance_id) try {
  const reading one_moment{db_};
  auto instance = tables_->instances.find(instance_id);
  if (!instance) return std::nullopt;
  stored_run run{std::move(*instance), {}, {}, {}, {}};
  run.does = run.instance.status;
  if (run.does == instance_status::parked) {
    std::string before, error;
    soci::indicator before_is, error_is;
    db_.session() << "SELECT parked_from, error FROM workflow_instances WHERE instance_id = :id", soci::use(instance_id),
        soci::into(before, before_is), soci::into(error, error_is);
    run.does = before_is == soci::i_ok ? to_instance_status(before).value_or(instance_status::running)
                                       : instance_status::running;
    run.instance.error = error_is == soci::i_ok ? error : "";
  }
  run.history = tables_->history.load(instance_id);
  run.waits = tables_->waits.load(instance_id);
  run.to_undo = tables_->compensations.remaining(instance_id);
  return run;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read the run of " + instance_id);
}

} // namespace romancy
