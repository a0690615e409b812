#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace romancy::testing {

/// What the broker of a scenario answers to a request. A plain status is one that comes at once: `503`.
struct broker_reply {
  std::optional<int> status;          ///< of HTTP; nothing: there is no answer
  std::chrono::milliseconds after{0}; ///< of virtual time
  std::string error{};                ///< why there is no answer

  broker_reply(int http_status, std::chrono::milliseconds time = {}) : status{http_status}, after{time} {}

  /// The connection is closed instead of an answer. What becomes of the event is not known to the relayer.
  static broker_reply closed_connection(std::chrono::milliseconds time = {}) {
    broker_reply none{0, time};
    none.status.reset();
    none.error = "the connection was closed";
    return none;
  }
  /// No answer, until the relayer's request_timeout ends the wait.
  static broker_reply silence() {
    broker_reply none{0, std::chrono::milliseconds::max()};
    none.status.reset();
    none.error = "no answer in time";
    return none;
  }
  bool accepts() const { return status && *status >= 200 && *status < 300; }
};

/// A request that the broker of a scenario got.
struct delivery {
  std::chrono::milliseconds at{}; ///< since the scenario began
  std::string event_id;
  std::string event_type;
  std::string event_source;
  nlohmann::json data{};
  nlohmann::json attributes = nlohmann::json::object(); ///< all that are set, by name
  broker_reply reply{202};
};

/// What the broker of a scenario answers, and what it got. Accepts everything at once until it is told otherwise. Of
/// several answers that fit, those for the event's type come before those for all, and those in order before what is said
/// always.
class broker {
public:
  /// The answers of one kind of events.
  class rule {
  public:
    /// To the next requests, one each.
    rule& next(std::vector<broker_reply> in_order) {
      next_.insert(next_.end(), in_order.begin(), in_order.end());
      return *this;
    }
    /// To all others, from now on.
    rule& always(broker_reply reply) {
      always_ = std::move(reply);
      return *this;
    }

  private:
    friend class broker;
    std::optional<broker_reply> take() {
      if (next_.empty()) return always_;
      auto first = std::move(next_.front());
      next_.pop_front();
      return first;
    }
    std::deque<broker_reply> next_;
    std::optional<broker_reply> always_;
  };

  /// `s.broker().to("order.created").next({503, 503})`
  rule& to(const std::string& event_type) { return by_type_[event_type]; }
  void next(std::vector<broker_reply> in_order) { all_.next(std::move(in_order)); }
  void always(broker_reply reply) { all_.always(std::move(reply)); }
  /// Asked when no other answer fits.
  void by(std::function<broker_reply(const delivery&)> decide) { decide_ = std::move(decide); }

  /// All requests, in the order in which they came.
  const std::vector<delivery>& deliveries() const { return deliveries_; }
  /// The types of the events that it accepted, in that order. An event that was delivered twice is there twice.
  std::vector<std::string> accepted() const {
    std::vector<std::string> types;
    for (const auto& one : deliveries_)
      if (one.reply.accepts()) types.push_back(one.event_type);
    return types;
  }

  /// For the scenario: takes a request in and says how it is answered.
  const broker_reply& receive(delivery request) {
    auto reply = by_type_[request.event_type].take();
    if (!reply) reply = all_.take();
    if (!reply && decide_) reply = decide_(request);
    if (reply) request.reply = std::move(*reply);
    deliveries_.push_back(std::move(request));
    return deliveries_.back().reply;
  }

private:
  std::map<std::string, rule> by_type_;
  rule all_;
  std::function<broker_reply(const delivery&)> decide_;
  std::vector<delivery> deliveries_;
};

} // namespace romancy::testing
