#include "tests/support/order_audit.hpp"

#include <algorithm>
#include <functional>
#include <sstream>

namespace romancy::testing {

namespace {

using texts = std::vector<std::string>;

std::size_t hash(const std::string& text) { return std::hash<std::string>{}(text); }
std::size_t hash(const std::string& type, const nlohmann::json& data) { return hash(type + '\n' + data.dump()); }

/// "P" of "P-17"
std::string prefix_of(const std::string& order_id) { return order_id.substr(0, order_id.rfind('-')); }

/// What one has and the other has not; both sorted, with repetitions.
void compare(texts& faults, const std::string& what, texts expected, texts found) {
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  const auto complain = [&](const texts& more, const texts& less, const char* how) {
    texts only;
    std::set_difference(more.begin(), more.end(), less.begin(), less.end(), std::back_inserter(only));
    if (only.empty()) return;
    std::string list;
    for (std::size_t i = 0; i < std::min<std::size_t>(only.size(), 5); ++i) list += (i == 0 ? "" : ", ") + only[i];
    if (only.size() > 5) list += ", …";
    faults.push_back(what + ": " + std::to_string(only.size()) + ' ' + how + ": " + list);
  };
  complain(expected, found, "missing");
  complain(found, expected, "too many");
}

/// What must be there, once.
struct model {
  texts orders, payments, instances, history, events;

  explicit model(const order_round& placed) {
    for (int i = 1; i <= placed.count; ++i) {
      const auto id = placed.prefix + '-' + std::to_string(i);
      const bool paid = i % 7 != 0;
      orders.push_back(id);
      if (paid) payments.push_back(id);
      instances.push_back(id + " completed");
      for (const auto* step : {"create_order:1", "process_payment:1", "ship_order:1", "@send_event:1"})
        history.push_back(id + ' ' + step);
      for (const auto* type :
           {"order.created", paid ? "payment.processed" : "payment.failed", "order.shipped", "order.completed"})
        events.push_back(id + ' ' + type + " published");
    }
  }
};

} // namespace

void order_audit::receive(const cloud_event& event) {
  ++received_;
  const auto whole = hash(event.type + '\n' + event.source + '\n' + event.time + '\n' + event.data.dump());
  const std::string order = event.data.is_object() ? event.data.value("order_id", "") : "";
  const auto [known, fresh] =
      deliveries_[prefix_of(order)].emplace(event.id, delivery{whole, hash(event.type, event.data)});
  if (known->second.whole != whole) changed_.push_back("event " + event.id + " changed between attempts");
  if (event.status != 202) return;
  if (known->second.accepted) ++accepted_again_;
  known->second.accepted = true;
}

std::vector<std::string> order_audit::faults(database_view& db, const order_round& placed) const {
  const model expected{placed};
  const auto like = " LIKE '" + placed.prefix + "-%'";
  texts found = changed_;
  compare(found, "orders", expected.orders, db.rows("SELECT order_id FROM orders WHERE order_id" + like));
  compare(found, "payments", expected.payments, db.rows("SELECT order_id FROM payments WHERE order_id" + like));
  compare(found, "shipments", expected.orders, db.rows("SELECT order_id FROM shipments WHERE order_id" + like));
  compare(found, "instances", expected.instances,
          db.rows("SELECT instance_id, status FROM workflow_instances WHERE instance_id" + like, 2));
  compare(found, "history", expected.history,
          db.rows("SELECT instance_id, activity_id FROM workflow_history WHERE instance_id" + like, 2));
  compare(found, "events", expected.events,
          db.rows("SELECT instance_id, event_type, status FROM outbox_events WHERE instance_id" + like, 3));

  texts lost, altered, committed;
  const auto of_round = deliveries_.find(placed.prefix);
  static const std::map<std::string, delivery> nothing;
  const auto& delivered = of_round == deliveries_.end() ? nothing : of_round->second;
  for (const auto& row :
       db.rows("SELECT event_id, event_type, event_data FROM outbox_events WHERE instance_id" + like, 3)) {
    std::istringstream columns{row};
    std::string id, type;
    columns >> id >> type;
    committed.push_back(id);
    const auto sent = delivered.find(id);
    if (sent == delivered.end() || !sent->second.accepted) {
      lost.push_back(id + ' ' + type);
    } else if (sent->second.committed != hash(type, nlohmann::json::parse(columns))) {
      altered.push_back(id);
    }
  }
  compare(found, "events that the broker never accepted", {}, lost);
  compare(found, "events that are not what was committed", {}, altered);
  std::sort(committed.begin(), committed.end());
  texts invented;
  for (const auto& [id, sent] : delivered)
    if (!std::binary_search(committed.begin(), committed.end(), id)) invented.push_back(id);
  compare(found, "events that were sent and never committed", {}, invented);
  return found;
}

std::vector<std::string> order_audit::faults(database_view& db, const std::vector<order_round>& placed) const {
  texts found;
  long long all = 0, paid = 0;
  for (const auto& round : placed) {
    for (auto& fault : faults(db, round)) found.push_back(std::move(fault));
    all += round.count;
    paid += round.count - round.count / 7;
  }
  const auto count = [&](const std::string& what, long long expected) {
    if (const auto now = db.number("SELECT count(*) FROM " + what); now != expected)
      found.push_back("there are " + std::to_string(now) + " rows in " + what + ", not " + std::to_string(expected));
  };
  count("orders", all);
  count("payments", paid);
  count("shipments", all);
  count("workflow_instances", all);
  count("workflow_history", all * 4);
  count("outbox_events", all * 4);
  count("outbox_events WHERE status <> 'published'", 0);
  for (const auto& [prefix, events] : deliveries_)
    if (std::none_of(placed.begin(), placed.end(), [&](const auto& round) { return round.prefix == prefix; }))
      found.push_back(std::to_string(events.size()) + " events of orders '" + prefix + "' that nobody placed");
  return found;
}

} // namespace romancy::testing
