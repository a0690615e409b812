#pragma once

#include <optional>
#include <string>
#include <vector>

#include "messages/compensation_record.hpp"
#include "messages/history_record.hpp"
#include "messages/instance_record.hpp"
#include "messages/wait_record.hpp"
#include "storage/database.hpp"
#include "storage/tables.hpp"

namespace romancy {

/// All that a process would find that takes an instance up.
struct stored_run {
  instance_record instance;                        ///< its error is why it failed, also while it is parked
  instance_status does = instance_status::running; ///< its status; of a parked one, that with which it would go on
  std::vector<history_record> history;
  std::vector<wait_record> waits;
  std::vector<compensation_record> to_undo; ///< the next one first
};

/// Reads runs, each at one moment. Functions throw storage_failure.
class run_reader {
public:
  explicit run_reader(database& db) : db_{db}, tables_{open_tables<tables>(db)} {}

  /// In a transaction of its own. @pre there is none
  std::optional<stored_run> read(const std::string& instance_id);

private:
  database& db_;
  std::unique_ptr<tables> tables_;
};

} // namespace romancy
