#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "messages/time_point.hpp"
#include "storage/database.hpp"

namespace romancy {

/// `worker_epochs`: the processes that run, and until when they are believed to. Functions throw storage_failure.
class epoch_table {
public:
  explicit epoch_table(database& db);

  /// `workflows`: what its app serves.
  void insert(const std::string& epoch, const std::string& worker_id, time_point now, std::chrono::milliseconds lease,
              const std::vector<std::string>& workflows = {});
  /// False if the row is gone: another process has taken everything over. If it is there, it stays until COMMIT.
  bool exists(const std::string& epoch);
  void renew(const std::string& epoch, time_point now, std::chrono::milliseconds lease);
  /// Deletes the rows of processes that are gone, or whose lease ran out before `now`, and returns their epochs. Calls
  /// `disarm` with each first. A row that somebody holds stays for this time.
  std::vector<std::string> remove_dead(const std::string& own_epoch, time_point now,
                                       const std::function<void(const std::string& epoch)>& disarm = {});
  void remove(const std::string& epoch);
  /// The workflows that are served by anybody whose row is there. Nothing: one of them, of an older program, does not
  /// say.
  std::optional<std::set<std::string>> served();

private:
  database& db_;
  std::string epoch_, found_;
  soci::statement exists_;
};

} // namespace romancy
