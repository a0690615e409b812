#include "storage/epoch_table.hpp"

#include <sstream>

#include "storage/host_process.hpp"
#include "storage/rows_changed.hpp"
#include "storage/storage_failure.hpp"
#include "storage/timestamp.hpp"

namespace romancy {

namespace {

bool is_dead(const std::string& host, const std::string& process, const std::string& expires_at, time_point now) try {
  return to_time_point(expires_at) < now || host_process::is_gone(host, process);
} catch (const std::exception&) { // a row that cannot be read must not keep others from renewing theirs
  return false;
}

} // namespace

epoch_table::epoch_table(database& db)
    : db_{db}, exists_{(db.session().prepare << "SELECT epoch FROM worker_epochs WHERE epoch = :epoch" +
                                                    std::string{db.dialect().share_locked},
                        soci::use(epoch_), soci::into(found_))} {}

bool epoch_table::exists(const std::string& epoch) try {
  epoch_ = epoch;
  bool found = false;
  for (bool more = exists_.execute(true); more; more = exists_.fetch()) found = true;
  return found;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "look for this worker's epoch");
}

void epoch_table::insert(const std::string& epoch, const std::string& worker_id, time_point now,
                         std::chrono::milliseconds lease, const std::vector<std::string>& workflows) try {
  const auto self = host_process::self();
  const auto started_at = to_text(now);
  const auto expires_at = to_text(now + lease);
  std::string names;
  for (const auto& name : workflows) names += name + ' ';
  db_.session() << "INSERT INTO worker_epochs (epoch, worker_id, host, process, started_at, expires_at, workflows) "
                   "VALUES (:epoch, :worker, :host, :process, :started, :expires, :workflows)",
      soci::use(epoch), soci::use(worker_id), soci::use(self.host), soci::use(self.process), soci::use(started_at),
      soci::use(expires_at), soci::use(names);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "register this worker");
}

void epoch_table::renew(const std::string& epoch, time_point now, std::chrono::milliseconds lease) try {
  const auto expires_at = to_text(now + lease);
  db_.session() << "UPDATE worker_epochs SET expires_at = :expires WHERE epoch = :epoch", soci::use(expires_at),
      soci::use(epoch);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "renew the lease of this worker");
}

std::vector<std::string> epoch_table::remove_dead(const std::string& own_epoch, time_point now,
                                                  const std::function<void(const std::string&)>& disarm) try {
  std::string epoch, host, process, expires_at;
  struct seen {
    std::string epoch, expires_at;
  };
  std::vector<seen> dead;
  {
    soci::statement select = (db_.session().prepare << "SELECT epoch, host, process, expires_at FROM worker_epochs",
                              soci::into(epoch), soci::into(host), soci::into(process), soci::into(expires_at));
    for (bool more = select.execute(true); more; more = select.fetch())
      if (epoch != own_epoch && is_dead(host, process, expires_at, now)) dead.push_back({epoch, expires_at});
  }
  std::vector<std::string> removed;
  for (const auto& [gone, seen_until] : dead) {
    if (disarm) disarm(gone);
    std::string free; // not if it has renewed its lease meanwhile, or is about to
    db_.session() << "SELECT epoch FROM worker_epochs WHERE epoch = :epoch AND expires_at = :seen" +
                         std::string{db_.dialect().skip_locked},
        soci::use(gone), soci::use(seen_until), soci::into(free);
    if (db_.session().got_data() &&
        rows_changed((db_.session().prepare << "DELETE FROM worker_epochs WHERE epoch = :epoch AND expires_at = :seen",
                      soci::use(gone), soci::use(seen_until))) == 1)
      removed.push_back(gone);
  }
  return removed;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "look for dead workers");
}

void epoch_table::remove(const std::string& epoch) try {
  db_.session() << "DELETE FROM worker_epochs WHERE epoch = :epoch", soci::use(epoch);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "remove a worker");
}

std::optional<std::set<std::string>> epoch_table::served() try {
  std::string names;
  soci::indicator is;
  bool all_say = true;
  std::set<std::string> found;
  soci::statement select = (db_.session().prepare << "SELECT workflows FROM worker_epochs", soci::into(names, is));
  for (bool more = select.execute(true); more; more = select.fetch()) {
    if (is == soci::i_null) {
      all_say = false;
      continue;
    }
    std::istringstream words{names};
    for (std::string name; words >> name;) found.insert(name);
  }
  if (!all_say) return std::nullopt;
  return found;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read what workers serve");
}

} // namespace romancy
