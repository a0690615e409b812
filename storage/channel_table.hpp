#pragma once

#include <optional>
#include <string>
#include <vector>

#include "messages/channel_action.hpp"
#include "messages/time_point.hpp"
#include "storage/database.hpp"

namespace romancy {

/// `channels`, `channel_subscriptions`, `channel_messages` and `workflow_groups`. Used inside a transaction. Functions
/// throw storage_failure.
///
/// A message is written once for each instance that it is for, in the transaction of who publishes it, and deleted in
/// the transaction of who receives it. So nothing that commits late is passed over, as it would be by a cursor, and what
/// is not received yet is exactly what is there.
class channel_table {
public:
  explicit channel_table(database& db) : db_{db} {}

  /// What `instance_id` does. Whoever waits for the message is woken with the same COMMIT.
  void carry_out(const std::string& instance_id, const channel_action& action, time_point now);
  /// To all that subscribe to the channel or wait for an event of that name; of those that compete, to the first.
  void publish(const std::string& channel, const std::string& message, time_point now);
  /// To one instance, which need not be there yet; nothing if it has ended.
  void send(const std::string& to, const std::string& channel, const std::string& message, time_point now);
  /// Takes the oldest message for the instance on one of the channels.
  std::optional<std::string> take(const std::string& instance_id, const std::vector<std::string>& channels);
  /// There are messages on its competing channels, which others are just taking.
  bool others_take(const std::string& instance_id, const std::vector<std::string>& channels);
  /// The instance has ended. Messages that it has not received go with it.
  void remove_all(const std::string& instance_id);
  /// Instances, in order of their ids.
  std::vector<std::string> members(const std::string& group);

private:
  void subscribe(const std::string& instance_id, const std::string& channel, const std::string& mode);
  soci::details::prepare_temp_type select_from(const std::vector<std::string>& channels, const std::string& begin,
                                               const std::string& end, const std::string& instance_id);
  std::vector<std::string> subscribed(const std::string& instance_id, const std::vector<std::string>& channels);
  bool lock_oldest(const std::vector<std::string>& channels, long long& id, std::string& message);
  bool hold_receiver(const std::string& to, const std::string& now);
  void wake_competitors(const std::string& instance_id);
  std::string mode_of(const std::string& channel);

  database& db_;
};

} // namespace romancy
