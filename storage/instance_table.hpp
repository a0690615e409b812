#pragma once

#include <optional>
#include <string>
#include <vector>

#include "messages/cancel_request.hpp"
#include "messages/instance_record.hpp"
#include "messages/time_point.hpp"
#include "storage/database.hpp"

namespace romancy {

/// `workflow_instances`. Writing is used inside a transaction. Functions throw storage_failure.
class instance_table {
public:
  explicit instance_table(database& db);

  /// Adds a running instance owned by `epoch`, or, if that is empty, by whoever claims it; false if the id exists.
  bool insert(const instance_record& instance, const std::string& epoch, time_point now);
  std::optional<instance_record> find(const std::string& instance_id);
  /// Takes up to `limit` unfinished instances of these workflows that nobody owns and whose time has come, the first due
  /// first (of MySQL: of those that are being undone, then of the others). Each gets a new fence.
  std::vector<instance_record> claim(const std::string& epoch, const std::vector<std::string>& workflows, int limit,
                                     time_point now);
  /// When the time comes of the next one that nobody owns; none: not before something happens to it.
  std::optional<time_point> next_due(const std::vector<std::string>& workflows);
  /// Keeps others from waking it or taking it over until COMMIT. False if it is not ours.
  bool hold(const std::string& instance_id, const std::string& epoch, std::int64_t fence);
  /// It leaves memory, until `due` or until something happens to it. @pre held in this transaction
  void rest(const std::string& instance_id, const std::optional<time_point>& due);
  /// It stays in memory, and is told when something happens to it. @pre held in this transaction
  void stay(const std::string& instance_id);
  /// Something has happened to it: who owns it is told, else it is due.
  void wake(const std::string& instance_id);
  /// Begins its function anew with other inputs; history and compensations of the run so far are archived and dropped.
  /// False if it is not ours. @pre in a transaction
  bool continue_as_new(const std::string& instance_id, const std::string& epoch, std::int64_t fence, int run,
                       const std::string& input, time_point now);
  /// Of a parent: those that have not ended.
  std::vector<std::string> unfinished_children(const std::string& parent_id);
  /// From running to compensating, or there already; false if it is not ours.
  bool begin_compensation(const std::string& instance_id, const std::string& epoch, std::int64_t fence,
                          const std::string& error);
  /// To a settled status, owned by nobody, or there already; false if it is not ours. `finished.error` empty: the stored
  /// one stays.
  bool finish(const instance_record& finished, const std::string& epoch, time_point now);
  /// Asks its owner to stop and undo it; a parked one is unfinished again. False if it has ended, or is being undone for
  /// a failure of its own. The first reason stays.
  bool request_cancel(const cancel_request& request);
  /// Unfinished instances that `epoch` owns and to which something has happened, once each: with the reason if they are
  /// to be cancelled.
  std::vector<cancel_request> news(const std::string& epoch);
  /// Lets parked instances go on where they were; an empty argument means all. Returns how many.
  int resume(const std::string& instance_id, const std::string& workflow);
  /// Gives back all that `epoch` owns, or one of them.
  void release(const std::string& epoch, const std::string& instance_id = {});
  /// Gives back what `claimed` says, unless it was claimed again since.
  void release(const std::string& epoch, const std::vector<instance_record>& claimed);

  /// Unfinished instances by workflow name.
  std::vector<std::pair<std::string, long long>> unfinished();

private:
  database& db_;
  instance_record row_;
  std::string epoch_, now_, status_, wake_at_, deadline_;
  long long seed_ = 0;
  soci::indicator output_is_, error_is_, cancel_is_, owner_is_, epoch_is_, parent_is_, deadline_is_, seed_is_;
  soci::statement insert_, find_, finish_;
};

} // namespace romancy
