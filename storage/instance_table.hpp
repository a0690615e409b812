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

  /// Adds a running instance owned by `epoch`; false if the id exists.
  bool insert(const instance_record& instance, const std::string& epoch, time_point now);
  std::optional<instance_record> find(const std::string& instance_id);
  /// Takes up to `limit` unfinished instances of these workflows that nobody owns, the oldest first (of MySQL: of those
  /// that are being undone, then of the others). Each gets a new fence.
  std::vector<instance_record> claim(const std::string& epoch, const std::vector<std::string>& workflows, int limit);
  /// From running to compensating, or there already; false if it is not ours.
  bool begin_compensation(const std::string& instance_id, const std::string& epoch, std::int64_t fence,
                          const std::string& error);
  /// To a settled status, owned by nobody, or there already; false if it is not ours. `finished.error` empty: the stored
  /// one stays.
  bool finish(const instance_record& finished, const std::string& epoch, time_point now);
  /// Asks its owner to stop and undo it; a parked one is unfinished again. False if it has ended, or is being undone for
  /// a failure of its own. The first reason stays.
  bool request_cancel(const cancel_request& request);
  /// Of running instances that `epoch` owns.
  std::vector<cancel_request> cancel_requests(const std::string& epoch);
  /// Lets parked instances go on where they were; an empty argument means all. Returns how many.
  int resume(const std::string& instance_id, const std::string& workflow);
  /// Gives back all that `epoch` owns, or one of them.
  void release(const std::string& epoch, const std::string& instance_id = {});
  /// Gives back what `claimed` says, unless it was claimed again since.
  void release(const std::string& epoch, const std::vector<instance_record>& claimed);

  struct summary {
    instance_record instance;
    std::string started_at;
    std::string finished_at;
  };
  struct filter {
    std::string status{};
    std::string workflow{};
    std::string instance_id{};
    int limit = 100;
  };
  std::vector<summary> list(const filter& wanted);
  /// Unfinished instances by workflow name.
  std::vector<std::pair<std::string, long long>> unfinished();

private:
  database& db_;
  instance_record row_;
  std::string epoch_, now_, status_;
  soci::indicator output_is_, error_is_, cancel_is_, owner_is_;
  soci::statement insert_, find_, finish_;
};

} // namespace romancy
