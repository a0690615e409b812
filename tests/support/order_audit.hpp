#pragma once

#include <map>
#include <string>
#include <vector>

#include "messages/cloud_event.hpp"
#include "tests/support/database_view.hpp"

namespace romancy::testing {

/// The orders PREFIX-1 … PREFIX-COUNT of `ecommerce`.
struct order_round {
  std::string prefix;
  int count = 0;
};

/// Compares what is in a database, and what a broker has received, with what `ecommerce` promises: rows, history and
/// events once, each event accepted, none that was never committed, none that changes between attempts.
class order_audit {
public:
  /// By the broker, whatever it answered.
  void receive(const cloud_event& event);

  /// What is wrong with orders that are said to be complete, a sentence each; none: all is as promised.
  std::vector<std::string> faults(database_view& db, const order_round& placed) const;
  /// What is wrong with all that is in the database, when these are all orders.
  std::vector<std::string> faults(database_view& db, const std::vector<order_round>& placed) const;

  std::size_t received() const noexcept { return received_; }
  std::size_t accepted_again() const noexcept { return accepted_again_; }

private:
  struct delivery {
    std::size_t whole = 0;     ///< a hash of all that must not change
    std::size_t committed = 0; ///< a hash of what the outbox has of it
    bool accepted = false;
  };

  std::map<std::string, std::map<std::string, delivery>> deliveries_; ///< by prefix of the order, then by event id
  std::vector<std::string> changed_;
  std::size_t received_ = 0;
  std::size_t accepted_again_ = 0;
};

} // namespace romancy::testing
