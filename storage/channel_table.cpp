#include "storage/channel_table.hpp"

#include <map>

#include "storage/rows_changed.hpp"
#include "storage/storage_failure.hpp"
#include "storage/text_check.hpp"
#include "storage/timestamp.hpp"
#include "storage/wake_time.hpp"

namespace romancy {

namespace {
constexpr auto broadcast = "broadcast";
constexpr auto competing = "competing";
} // namespace

void channel_table::carry_out(const std::string& instance_id, const channel_action& action, time_point now) try {
  using enum channel_action::kind;
  switch (action.what) {
    case subscribe_broadcast: return subscribe(instance_id, action.channel, broadcast);
    case subscribe_competing: return subscribe(instance_id, action.channel, competing);
    case unsubscribe:
      wake_competitors(instance_id);
      db_.session() << "DELETE FROM channel_subscriptions WHERE channel = :channel AND instance_id = :instance",
          soci::use(action.channel), soci::use(instance_id);
      db_.session() << "DELETE FROM channel_messages WHERE instance_id = :instance AND channel = :channel",
          soci::use(instance_id), soci::use(action.channel);
      return;
    case publish: return this->publish(action.channel, action.message, now);
    case send: return this->send(action.to, action.channel, action.message, now);
    case join:
      db_.session() << std::string{db_.dialect().insert_if_absent} +
                           " INTO workflow_groups (group_name, instance_id) "
                           "VALUES (:name, :instance)" +
                           std::string{db_.dialect().if_absent},
          soci::use(action.channel), soci::use(instance_id);
      return;
    case members: return; // read when the step is recorded
    case leave:
      db_.session() << "DELETE FROM workflow_groups WHERE group_name = :name AND instance_id = :instance",
          soci::use(action.channel), soci::use(instance_id);
      return;
  }
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "write to channel '" + action.channel + '\'');
}

/// Held until COMMIT, so that two first subscriptions agree.
void channel_table::subscribe(const std::string& instance_id, const std::string& channel, const std::string& mode) {
  check_text(db_, "subscribe to a channel", {&channel});
  db_.session() << std::string{db_.dialect().insert_if_absent} +
                       " INTO channels (channel, mode) VALUES (:channel, :mode)" + std::string{db_.dialect().if_absent},
      soci::use(channel), soci::use(mode);
  std::string known;
  db_.session() << "SELECT mode FROM channels WHERE channel = :channel" + std::string{db_.dialect().keep_locked},
      soci::use(channel), soci::into(known);
  if (known != mode) {
    long long others = 0;
    db_.session() << "SELECT count(*) FROM channel_subscriptions WHERE channel = :channel AND instance_id <> :instance",
        soci::use(channel), soci::use(instance_id), soci::into(others);
    if (others > 0)
      throw storage_failure{failure_kind::other,
                            "the channel '" + channel + "' is " + known + " for " + std::to_string(others) +
                                (others == 1 ? " other instance" : " other instances") +
                                ", so nobody subscribes to it as " + mode + ": use another channel, or the same mode"};
    db_.session() << "UPDATE channels SET mode = :mode WHERE channel = :channel", soci::use(mode), soci::use(channel);
  }
  db_.session() << std::string{db_.dialect().insert_if_absent} +
                       " INTO channel_subscriptions (channel, instance_id) VALUES (:channel, :instance)" +
                       std::string{db_.dialect().if_absent},
      soci::use(channel), soci::use(instance_id);
}

std::string channel_table::mode_of(const std::string& channel) {
  std::string mode;
  db_.session() << "SELECT mode FROM channels WHERE channel = :channel", soci::use(channel), soci::into(mode);
  return db_.session().got_data() ? mode : broadcast;
}

/// Those who are to hear of it are held first, in the order of their ids: one that is about to rest comes before, or sees
/// the message.
void channel_table::publish(const std::string& channel, const std::string& message, time_point now) try {
  check_text(db_, "publish on channel '" + channel + '\'', {&channel, &message});
  const auto at = to_text(now);
  const bool one_takes_it = mode_of(channel) == competing;
  std::map<std::string, bool> receivers; // who subscribes
  std::string id;
  int subscribes = 0;
  soci::statement select =
      (db_.session().prepare << "SELECT instance_id, 1 FROM channel_subscriptions WHERE channel = :subscribed UNION ALL "
                                "SELECT instance_id, 0 FROM workflow_waits WHERE kind = 'event' AND channel = :waiting",
       soci::use(channel), soci::use(channel), soci::into(id), soci::into(subscribes));
  for (bool more = select.execute(true); more; more = select.fetch()) {
    auto& known = receivers[id];
    known = known || subscribes == 1;
  }
  soci::statement wake =
      (db_.session().prepare << "UPDATE workflow_instances SET wake_at = :at_once WHERE instance_id = :id",
       soci::use(wake_time::at_once), soci::use(id));
  soci::statement insert =
      (db_.session().prepare << "INSERT INTO channel_messages (channel, instance_id, message, published_at) "
                                "VALUES (:channel, :instance, :message, :now)",
       soci::use(channel), soci::use(id), soci::use(message), soci::use(at));
  for (const auto& [receiver, subscribed] : receivers) {
    id = receiver;
    wake.execute(true);
  }
  for (const auto& [receiver, subscribed] : receivers) {
    if (one_takes_it && subscribed) continue;
    id = receiver;
    insert.execute(true);
  }
  if (one_takes_it)
    db_.session() << "INSERT INTO channel_messages (channel, message, published_at) VALUES (:channel, :message, :now)",
        soci::use(channel), soci::use(message), soci::use(at);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "publish on channel '" + channel + '\'');
}

bool channel_table::others_take(const std::string& instance_id, const std::vector<std::string>& channels) try {
  if (db_.dialect().one_writer) return false; // then nobody is just taking it
  for (const auto& channel : channels) {
    long long unread = 0;
    db_.session()
        << "SELECT count(*) FROM channel_messages WHERE instance_id IS NULL AND channel = :channel AND channel IN "
           "(SELECT channel FROM channel_subscriptions WHERE channel_subscriptions.instance_id = :instance)",
        soci::use(channel), soci::use(instance_id), soci::into(unread);
    if (unread > 0) return true;
  }
  return false;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "look at the messages for " + instance_id);
}

/// Held until COMMIT: one that is about to rest, or to end, comes before, or sees the message. False if it has ended.
bool channel_table::hold_receiver(const std::string& to, const std::string& now) {
  std::string status;
  const auto held = [&] {
    db_.session() << "SELECT status FROM workflow_instances WHERE instance_id = :id" +
                         std::string{db_.dialect().keep_locked},
        soci::use(to), soci::into(status);
    return db_.session().got_data();
  };
  if (!held()) {
    if (db_.dialect().one_writer) return true;
    // It may be on its way to be there: whoever starts it waits for our end, or we for theirs. Nobody sees this row.
    const auto ours =
        rows_changed((db_.session().prepare << std::string{db_.dialect().insert_if_absent} +
                                                   " INTO workflow_instances (instance_id, workflow_name, input_data, "
                                                   "started_at) VALUES (:id, '', '', :now)" +
                                                   std::string{db_.dialect().if_absent},
                      soci::use(to), soci::use(now)));
    if (ours > 0) {
      db_.session() << "DELETE FROM workflow_instances WHERE instance_id = :id", soci::use(to);
      return true;
    }
    if (!held())
      throw storage_failure{failure_kind::conflict, "instance " + to + " came and went while a message was sent to it"};
  }
  const auto known = to_instance_status(status);
  if (known == instance_status::completed || known == instance_status::failed || known == instance_status::cancelled)
    return false;
  db_.session() << "UPDATE workflow_instances SET wake_at = :at_once WHERE instance_id = :id",
      soci::use(wake_time::at_once), soci::use(to);
  return true;
}

void channel_table::send(const std::string& to, const std::string& channel, const std::string& message,
                         time_point now) try {
  check_text(db_, "send to instance " + to, {&to, &channel, &message});
  const auto at = to_text(now);
  if (!hold_receiver(to, at)) return;
  db_.session() << "INSERT INTO channel_messages (channel, instance_id, message, published_at) "
                   "VALUES (:channel, :instance, :message, :now)",
      soci::use(channel), soci::use(to), soci::use(message), soci::use(at);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "send to instance " + to);
}

std::optional<std::string> channel_table::take(const std::string& instance_id,
                                               const std::vector<std::string>& channels) try {
  if (channels.empty()) return std::nullopt;
  long long id = 0;
  std::string message;
  auto query = select_from(channels, "SELECT id, message FROM channel_messages WHERE instance_id = :instance AND channel",
                           " ORDER BY id LIMIT 1", instance_id);
  soci::statement own = (query, soci::into(id), soci::into(message));
  if (!own.execute(true) && !lock_oldest(subscribed(instance_id, channels), id, message)) return std::nullopt;
  db_.session() << "DELETE FROM channel_messages WHERE id = :id", soci::use(id);
  return message;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "receive a message of " + instance_id);
}

/// `begin` IN (the channels) `end`.
soci::details::prepare_temp_type channel_table::select_from(const std::vector<std::string>& channels,
                                                            const std::string& begin, const std::string& end,
                                                            const std::string& instance_id) {
  std::string names;
  for (std::size_t i = 0; i < channels.size(); ++i) names += (i == 0 ? ":c" : ", :c") + std::to_string(i);
  soci::details::prepare_temp_type query = db_.session().prepare << begin + " IN (" + names + ')' + end;
  if (!instance_id.empty()) query, soci::use(instance_id);
  for (const auto& channel : channels) query, soci::use(channel);
  return query;
}

std::vector<std::string> channel_table::subscribed(const std::string& instance_id,
                                                   const std::vector<std::string>& channels) {
  std::vector<std::string> found;
  std::string channel;
  auto query = select_from(
      channels, "SELECT channel FROM channel_subscriptions WHERE instance_id = :instance AND channel", "", instance_id);
  soci::statement select = (query, soci::into(channel));
  for (bool more = select.execute(true); more; more = select.fetch()) found.push_back(channel);
  return found;
}

/// Of what is for whoever comes first. MySQL locks all that it sorts, which would then be passed over by the others; so
/// the oldest of several channels are looked for without locks, and then one is locked.
bool channel_table::lock_oldest(const std::vector<std::string>& channels, long long& id, std::string& message) {
  if (channels.empty()) return false;
  const std::string lock{db_.dialect().skip_locked};
  if (channels.size() == 1) {
    db_.session() << "SELECT id, message FROM channel_messages WHERE instance_id IS NULL AND channel = :channel "
                     "ORDER BY id LIMIT 1" +
                         lock,
        soci::use(channels.front()), soci::into(id), soci::into(message);
    return db_.session().got_data();
  }
  std::vector<long long> oldest;
  auto query = select_from(channels, "SELECT id FROM channel_messages WHERE instance_id IS NULL AND channel",
                           " ORDER BY id LIMIT 100", "");
  soci::statement select = (query, soci::into(id));
  for (bool more = select.execute(true); more; more = select.fetch()) oldest.push_back(id);
  for (const auto candidate : oldest) {
    db_.session() << "SELECT id, message FROM channel_messages WHERE id = :id" + lock, soci::use(candidate),
        soci::into(id), soci::into(message);
    if (db_.session().got_data()) return true;
  }
  return false;
}

/// Those that compete with it may have gone to sleep because it was just taking the message that they have seen.
void channel_table::wake_competitors(const std::string& instance_id) {
  std::vector<std::string> competitors; // by their keys, in order: MySQL would read, and lock, all instances
  std::string id;
  soci::statement select =
      (db_.session().prepare << "SELECT DISTINCT waiting.instance_id FROM channel_subscriptions mine JOIN workflow_waits "
                                "waiting ON waiting.channel = mine.channel AND waiting.kind = 'event' WHERE "
                                "mine.instance_id = :instance AND EXISTS (SELECT 1 FROM channel_messages unread WHERE "
                                "unread.channel = mine.channel AND unread.instance_id IS NULL) "
                                "ORDER BY waiting.instance_id",
       soci::use(instance_id), soci::into(id));
  for (bool more = select.execute(true); more; more = select.fetch()) competitors.push_back(id);
  for (const auto& competitor : competitors)
    db_.session() << "UPDATE workflow_instances SET wake_at = :at_once WHERE instance_id = :id",
        soci::use(wake_time::at_once), soci::use(competitor);
}

void channel_table::remove_all(const std::string& instance_id) try {
  wake_competitors(instance_id);
  for (const auto* table : {"channel_subscriptions", "channel_messages", "workflow_groups"})
    db_.session() << "DELETE FROM " + std::string{table} + " WHERE instance_id = :instance", soci::use(instance_id);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "end the subscriptions of " + instance_id);
}

std::vector<std::string> channel_table::members(const std::string& group) try {
  std::string id;
  std::vector<std::string> found;
  soci::statement select =
      (db_.session().prepare << "SELECT instance_id FROM workflow_groups WHERE group_name = :name ORDER BY instance_id",
       soci::use(group), soci::into(id));
  for (bool more = select.execute(true); more; more = select.fetch()) found.push_back(id);
  return found;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read the group '" + group + '\'');
}

} // namespace romancy
