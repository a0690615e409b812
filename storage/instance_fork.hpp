#pragma once

#include <string>

#include "messages/fork_request.hpp"
#include "messages/time_point.hpp"
#include "storage/tables.hpp"

namespace romancy {

/// Makes an instance whose history is that of another one's current run, up to a step. Carried out twice it is one
/// instance. Nothing of the source is changed. @pre in a transaction. @throws storage_failure
class instance_fork {
public:
  instance_fork(database& db, tables& all) : db_{db}, tables_{all} {}

  /// Why not, with the remedy; empty: it is there, and due.
  std::string make(const fork_request& wanted, time_point now);

private:
  std::string compare(const fork_request& wanted);
  int position_of(const std::string& instance_id, const std::string& step);
  long long channel_changes(const std::string& instance_id, const char* condition, int position);
  bool insert(const fork_request& wanted, const instance_record& source, time_point now);
  void copy_history(const fork_request& wanted, int position);
  void copy_subscriptions(const fork_request& wanted);

  database& db_;
  tables& tables_;
};

} // namespace romancy
