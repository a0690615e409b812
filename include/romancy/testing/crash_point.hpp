#pragma once

#include <string>
#include <utility>

namespace romancy::testing {

/// Where an app of a scenario is killed, as by kill -9: nothing that it has not committed is left, and nobody is asked.
/// Counted from when it is given to scenario::crash_at.
struct crash_point {
  enum class kind { message, statement, before_commit, after_commit, before_attempt, before_delivery, after_delivery };

  /// Instead of the k-th message of its actors (from 1).
  static crash_point message(int k) { return {kind::message, k, {}}; }
  /// Instead of the k-th statement that begins so; all statements with "".
  static crash_point statement(int k, std::string beginning = {}) { return {kind::statement, k, std::move(beginning)}; }
  /// Instead of the k-th COMMIT.
  static crash_point before_commit(int k) { return {kind::before_commit, k, {}}; }
  /// After the k-th COMMIT, which nobody hears of.
  static crash_point after_commit(int k) { return {kind::after_commit, k, {}}; }
  /// Before the code of an activity runs for the k-th time, all instances counted.
  static crash_point before_attempt(std::string activity, int k = 1) {
    return {kind::before_attempt, k, std::move(activity)};
  }
  /// Before the k-th request with an event of this type reaches the broker.
  static crash_point before_delivery(std::string event_type, int k = 1) {
    return {kind::before_delivery, k, std::move(event_type)};
  }
  /// After it has reached the broker, whose answer nobody hears.
  static crash_point after_delivery(std::string event_type, int k = 1) {
    return {kind::after_delivery, k, std::move(event_type)};
  }

  kind where = kind::message;
  int count = 1;
  std::string what{};
};

} // namespace romancy::testing
